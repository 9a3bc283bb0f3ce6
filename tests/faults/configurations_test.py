"""What config.json and GGUF's metadata ask for is computed as transformers and ggml compute it, refused by name, or said; so are tensors under old names and beside others."""

import json
import pathlib
import struct

import faults
import tiny_gguf
import tiny_model


def edit(folder, drop=(), **changes):
    """Changes config.json."""
    path = pathlib.Path(folder) / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if key not in drop}))


def rewrite(folder, change):
    """Changes the tensors, a dictionary of names to (shape, values)."""
    path = pathlib.Path(folder) / "model.safetensors"
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = (entry["shape"], struct.unpack(f"<{(end - begin) // 4}f", data[begin:end]))
    path.write_bytes(tiny_model.safetensors(change(tensors) or tensors))


class Losses(faults.FaultTest):
    """Losses of the base model, which transformers was asked for."""

    def loss(self, model, data):
        return faults.run_json("finetune", "--model", model, "--train", data, "--validation", data, "--method", "none")["validation_loss"]

    def assert_loss(self, model, data, expected):
        self.assertAlmostEqual(self.loss(model, data), expected, delta=2e-5)


class Reports(Losses):
    def test_rope_theta_counts_where_rope_parameters_have_none(self):
        folder = self.report("b05")
        self.assert_loss(folder / "model", folder / "valid.tsv", 6.191359)
        edit(folder / "model", rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
        self.assert_loss(folder / "model", folder / "valid.tsv", 6.329068)

    def test_a_linear_scaling_of_gguf_needs_no_type_and_has_an_old_name(self):
        folder = self.report("b07")
        for name, expected in (("g_plain", 6.329068), ("g_linear", 6.111812), ("g_factor", 6.111812), ("g_scale_linear", 6.111812)):
            with self.subTest(file=name):
                self.assert_loss(folder / f"{name}.gguf", folder / "valid.tsv", expected)

    def test_gpt2_scores_without_scaling(self):
        folder = self.report("b12")
        self.assert_loss(folder / "model", folder / "valid.tsv", 6.033505)
        edit(folder / "model", scale_attn_weights=True)
        self.assert_loss(folder / "model", folder / "valid.tsv", 5.941846)

    def test_bert_loads_under_tensorflow_names(self):
        folder = self.report("b13")
        output = folder / "out"
        _, err = faults.run("classify", "--model", folder / "model", "--train", folder / "train.tsv", "--method", "lora", "--epochs", 1, "--output", output)
        self.assertNotIn("does not read", err)
        self.assertTrue((output / "adapter_config.json").exists())


class TinyModels(Losses):
    def model(self, name="model", **changes):
        tiny_model.write_llama(self.folder / name, **changes)
        return self.folder / name

    def data(self):
        path = self.folder / "data.txt"
        path.write_text("".join(f"name : N{i} | type : pub || N{i} is a pub.\n" for i in range(4)))
        return path

    def losses(self, *models):
        data = self.data()
        return [round(self.loss(model, data), 6) for model in models]


class Kinds(TinyModels):
    def test_rope_scaling_counts_before_rope_parameters(self):
        linear = {"rope_type": "linear", "factor": 4.0}
        both, alone, plain, empty = self.losses(
            self.model("both", rope_scaling=linear, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
            self.model("alone", rope_scaling=linear),
            self.model("plain"),
            self.model("empty", rope_scaling={}, rope_parameters=linear),
        )
        self.assertEqual(both, alone)
        self.assertEqual(empty, alone)
        self.assertNotEqual(alone, plain)

    def test_the_second_spelling_counts_and_that_is_said(self):
        folder = self.report("b12")
        data = folder / "valid.tsv"
        edit(folder / "model", n_head=2)
        expected = self.loss(folder / "model", data)
        edit(folder / "model", n_head=4, num_attention_heads=2)
        self.assertEqual(self.loss(folder / "model", data), expected)
        _, err = faults.run("finetune", "--model", folder / "model", "--train", data, "--validation", data, "--method", "none")
        self.assertEqual(err.count("num_attention_heads counts"), 1, err)

    def test_what_is_not_computed_is_refused_by_name(self):
        data = self.data()
        for number, (change, says) in enumerate([
            ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantization_config"),
            ({"transformers_weights": "other.safetensors"}, "transformers_weights"),
            ({"configuration_files": ["config.4.0.0.json", "config.json"]}, "configuration_files"),
            ({"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
            ({"rope_scaling": {"rope_type": "linear"}}, "factor"),
            ({"rope_scaling": {"rope_type": "linear", "factor": "4"}}, "factor"),
            ({"rope_scaling": {"rope_type": "linear", "factor": -2}}, "factor"),
            ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "yarn"),
            ({"rope_scaling": "linear"}, "rope_scaling"),
            ({"layer_types": ["full_attention", "sliding_attention"]}, "layer_types"),
            ({"sliding_window": 64}, "sliding_window"),
            ({"rms_norm_eps": -1e-5}, "rms_norm_eps"),
            ({"rms_norm_eps": "1e-5"}, "rms_norm_eps"),
            ({"hidden_act": "mish"}, "hidden_act"),
            ({"hidden_size": "32"}, "hidden_size"),
            ({"num_attention_heads": None}, "num_attention_heads"),
            ({"num_hidden_layers": 1 << 30}, "num_hidden_layers"),
            ({"head_dim": 7}, "head_dim"),
            ({"add_cross_attention": True}, "add_cross_attention"),
            ({"is_encoder_decoder": True}, "is_encoder_decoder"),
            ({"pruned_heads": {"0": [1]}}, "pruned_heads"),
        ]):  # fmt: skip
            with self.subTest(change=change):
                model = self.model(f"model{number}", **change)
                self.refused("finetune", "--model", model, "--train", data, "--validation", data, "--method", "none", says=says)

    def test_a_key_that_nobody_knows_is_said_once(self):
        model, data = self.model(attention_multipler=0.5, _private=1, attention_dropout=0.3), self.data()
        _, err = faults.run("finetune", "--model", model, "--train", data, "--validation", data, "--method", "none")
        self.assertEqual(err.count("attention_multipler"), 1, err)
        for silent in ("_private", "attention_dropout"):
            self.assertNotIn(silent, err)

    def test_an_untied_head_beside_tied_is_used(self):
        def with_head(tensors):
            shape, values = tensors["model.embed_tokens.weight"]
            tensors["lm_head.weight"] = (shape, [-0.5 * value for value in values])

        tied, untied, plain = self.model("tied"), self.model("untied", tie_word_embeddings=False), self.model("plain")
        for model in (tied, untied):
            rewrite(model, with_head)
        of_tied, of_untied, of_plain = self.losses(tied, untied, plain)
        self.assertEqual(of_tied, of_untied)
        self.assertNotEqual(of_tied, of_plain)

    def test_a_head_alone_is_the_embedding_where_both_are_tied(self):
        def rename(tensors):
            tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")

        alone, plain = self.model("alone"), self.model("plain")
        rewrite(alone, rename)
        self.assertEqual(*self.losses(alone, plain))

    def test_a_missing_head_is_refused_where_it_is_not_tied(self):
        for number, change in enumerate(({"tie_word_embeddings": False}, {"drop": True})):
            model = self.model(f"model{number}")
            edit(model, drop=["tie_word_embeddings"]) if "drop" in change else edit(model, **change)
            self.refused("finetune", "--model", model, "--train", self.data(), "--validation", self.data(), "--method", "none", says=["lm_head.weight", "tie_word_embeddings"])

    def test_tensors_that_nobody_reads_are_said(self):
        def add(tensors):
            tensors["model.layers.0.self_attn.q_norm.weight"] = ([8], [1.0] * 8)
            tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = ([4], [1.0] * 4)

        model = self.model(num_hidden_layers=1)
        rewrite(model, add)
        _, err = faults.run("finetune", "--model", model, "--train", self.data(), "--validation", self.data(), "--method", "none")
        self.assertIn("holds 10 tensors", err)
        self.assertIn("q_norm", err)
        self.assertNotIn("inv_freq", err)
        self.assertEqual(err.count("does not read"), 1)

    def test_a_merged_model_means_the_same(self):
        model, data, adapter, merged = self.model(rope_theta=500.0, rope_parameters={"rope_type": "default"}), self.data(), self.folder / "adapter", self.folder / "merged"
        faults.run("finetune", "--model", model, "--train", data, "--method", "lora", "--steps", 1, "--output", adapter)
        faults.run("convert", "--merge", "--adapter", adapter, "--model", model, "--output", merged)
        config = json.loads((merged / "config.json").read_text())
        self.assertEqual((config["rope_theta"], config["rope_parameters"], config["tie_word_embeddings"]), (500.0, {"rope_type": "default"}, True))


def with_biases(*modules, layers=(0, 1), size=0.3):
    """A change of tensors that adds biases to modules of `layers`."""

    def change(tensors):
        for layer in layers:
            for number, module in enumerate(modules):
                name = f"model.layers.{layer}.{module}"
                rows = tensors[name + ".weight"][0][0]
                tensors[name + ".bias"] = ([rows], [size * ((i * 7 + 3 * number + layer) % 11 - 5) for i in range(rows)])

    return change


QUERY_KEY_VALUE = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
FEED_FORWARD = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


class Biases(TinyModels):
    """Biases on some linear maps of a LLaMA."""

    def both(self, name, *modules, layers=(0, 1), **changes):
        """A folder, and the same as GGUF."""
        model, file = self.model(name, **changes), self.folder / f"{name}.gguf"
        rewrite(model, with_biases(*modules, layers=layers))
        tiny_gguf.write_gguf(model, file)
        return model, file

    def test_gguf_computes_what_hugging_face_does(self):
        for name, modules, changes in (("none", (), {}), ("qwen", QUERY_KEY_VALUE, {"model_type": "qwen2"}), ("llama", (*QUERY_KEY_VALUE, "self_attn.o_proj"), {"attention_bias": True}),
                                       ("all", (*QUERY_KEY_VALUE, "self_attn.o_proj", *FEED_FORWARD), {"attention_bias": True, "mlp_bias": True}), ("mlp", FEED_FORWARD, {"mlp_bias": True})):
            with self.subTest(name=name):
                of_folder, of_file, without = self.losses(*self.both(name, *modules, **changes), self.model("plain"))
                self.assertEqual(of_folder, of_file)
                (self.assertEqual if name == "none" else self.assertNotEqual)(of_file, without)

    def test_a_merged_gguf_has_a_configuration_that_reads_them(self):
        _, file = self.both("qwen", *QUERY_KEY_VALUE, model_type="qwen2")
        data, adapter, merged = self.data(), self.folder / "adapter", self.folder / "merged"
        faults.run("finetune", "--model", file, "--train", data, "--method", "lora", "--steps", 1, "--output", adapter)
        faults.run("convert", "--merge", "--adapter", adapter, "--model", file, "--output", merged)
        self.assertEqual(json.loads((merged / "config.json").read_text())["model_type"], "qwen2")

    def test_other_sets_are_refused_by_name(self):
        for number, (modules, layers, says) in enumerate([
            (QUERY_KEY_VALUE, (0,), ["blk.0.attn_q.bias", "blk.1.attn_q.bias"]),
            (QUERY_KEY_VALUE, (1,), ["blk.1.attn_q.bias", "blk.0.attn_q.bias"]),
            (("self_attn.q_proj",), (0, 1), ["attn_q.bias", "attn_k.bias"]),
            (("self_attn.o_proj",), (0, 1), ["attn_output", "attn_q"]),
            ((*QUERY_KEY_VALUE, *FEED_FORWARD), (0, 1), ["attn_output", "feed-forward"]),
            (("mlp.up_proj",), (0, 1), ["ffn_up.bias", "ffn_gate.bias"]),
        ]):  # fmt: skip
            with self.subTest(modules=modules, layers=layers):
                _, file = self.both(f"model{number}", *modules, layers=layers)
                self.refused("finetune", "--model", file, "--train", self.data(), "--validation", self.data(), "--method", "none", says=says)

    def test_a_missing_bias_of_hugging_faces_is_refused_by_name(self):
        model, _ = self.both("model", *QUERY_KEY_VALUE, attention_bias=True)
        self.refused("finetune", "--model", model, "--train", self.data(), "--validation", self.data(), "--method", "none", says="self_attn.o_proj.bias")


class EncoderDecoders(faults.FaultTest):
    def test_different_embeddings_of_the_stacks_are_refused(self):
        tiny_model.write_bart(self.folder / "model")

        def split(tensors):
            shape, values = tensors["model.shared.weight"]
            tensors["model.decoder.embed_tokens.weight"] = (shape, [2 * value for value in values])

        rewrite(self.folder / "model", split)
        data = self.folder / "data.tsv"
        data.write_text("abc\tcba\nabd\tdba\n")
        self.refused("seq2seq", "--model", self.folder / "model", "--train", data, "--method", "lora", says=["model.shared.weight", "model.decoder.embed_tokens.weight"])


class Gguf(TinyModels):
    def test_sampling_settings_of_gguf_are_said(self):
        model, file = self.model("plain"), self.folder / "sampling.gguf"
        ask = ("--prompt", "name : A", "--max-new", 4)
        tiny_gguf.write_gguf(model, file)
        out, err = faults.run("generate", "--model", file, *ask)
        self.assertNotIn("sampling", err)
        tiny_gguf.write_gguf(model, file, **{"general.sampling.temp": 0.5, "general.sampling.top_k": 3})
        same, err = faults.run("generate", "--model", file, *ask)
        self.assertEqual(same, out)
        self.assertEqual(err.count('"general.sampling.temp", "general.sampling.top_k"'), 1, err)


if __name__ == "__main__":
    faults.main()
