"""convert: adapter layouts, soft prompts as arrays, weighted sums and merged models, checked from the files that come out."""

import array
import json
import math
import os
import pathlib
import struct

import programs
import tiny_model
from programs import ProgramTest, run, run_json


def tensors_of(folder, name="adapter_model.safetensors"):
    """Names → (shape, values) of a float32 safetensors file."""
    data = (folder / name).read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    tensors = {}
    for tensor, about in json.loads(data[8:8 + size]).items():
        if tensor != "__metadata__":
            assert about["dtype"] == "F32"
            first, last = about["data_offsets"]
            tensors[tensor] = (about["shape"], array.array("f", data[8 + size + first:8 + size + last]))
    return tensors


def config_of(folder):
    return json.loads((folder / "adapter_config.json").read_text())


def npy(shape, values, form="<f4"):
    """The bytes of numpy.save."""
    header = f"{{'descr': '{form}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}{'d' if form == '<f8' else 'f'}", *values)


def product(b, a):
    """B·A of LoRA matrices (shape, values), row by row."""
    (out, rank), (_, width) = b[0], a[0]
    return [math.fsum(b[1][o * rank + k] * a[1][k * width + i] for k in range(rank)) for o in range(out) for i in range(width)]


def changes(folder):
    """Module → alpha / rank · B·A."""
    config, tensors = config_of(folder), tensors_of(folder)
    scale = config["lora_alpha"] / config["r"]
    modules = [name.removesuffix(".lora_A.weight") for name in tensors if name.endswith("lora_A.weight")]
    return {module: [scale * x for x in product(tensors[module + ".lora_B.weight"], tensors[module + ".lora_A.weight"])] for module in modules}


class Converting(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, *options in (("lora", "--method", "lora", "--rank", "3", "--alpha", "5"), ("other", "--method", "lora", "--rank", "2", "--targets", "q_proj,down_proj", "--seed", "1"),
                               ("prompt", "--method", "prompt", "--length", "4", "--separator", " =>"), ("prefix", "--method", "prefix", "--length", "3"), ("ia3", "--method", "ia3"),
                               ("p_tuning", "--method", "p_tuning", "--length", "3"), ("embedding", "--method", "embedding", "--length", "3"), ("infix", "--method", "infix", "--length", "3"),
                               ("top_layers", "--method", "top_layers", "--layers", "1"), ("mam", "--method", "mam")):
            run("finetune", "--model", cls.model, "--data", cls.data, *options, "--steps", "3", "--learning-rate", "0.02", "--output", cls.folder / name)

    def convert(self, output, *options):
        return run_json("convert", "--model", self.model, "--output", self.folder / output, *options)

    def scores(self, *model):
        prompts = self.write("prompts.txt", "name : N1 | type : pub\nname : N2\n")
        return [json.loads(line)["score"] for line in run("generate", *model, "--sources", prompts, "--separator", "", "--max-new", "8", "--json")[0].splitlines()]

    def test_peft_to_graft_and_back(self):
        for name in ("lora", "prompt", "prefix", "ia3", "p_tuning"):
            with self.subTest(name):
                there = self.convert("own-" + name, "--adapter", self.folder / name, "--format", "graft")
                self.assertEqual((there["kind"], there["format"]), ("adapter", "graft"))
                own = config_of(self.folder / ("own-" + name))
                self.assertIn("graft_type", own)
                self.assertNotIn("peft_type", own)
                back = self.convert("back-" + name, "--adapter", self.folder / ("own-" + name), "--format", "peft")
                self.assertEqual((back["format"], back["parameters"]), ("PEFT", there["parameters"]))
                for file in ("adapter_config.json", "adapter_model.safetensors"):
                    self.assertEqual((self.folder / ("back-" + name) / file).read_bytes(), (self.folder / name / file).read_bytes(), file)
                before, after = (self.scores("--model", self.model, "--adapter", self.folder / (start + name)) for start in ("", "own-"))
                self.assertEqual(before, after)
        self.assertEqual(json.loads((self.folder / "back-prompt/graft_template.json").read_text())["separator"], " =>")

    def test_peft_has_embeddings_at_the_front_as_prompt_tuning(self):
        done = self.convert("embedding-prompt", "--adapter", self.folder / "embedding", "--format", "peft")
        self.assertEqual((done["strategy"], done["format"]), ("prompt_tuning", "PEFT"))
        self.assertEqual(tensors_of(self.folder / "embedding-prompt"), tensors_of(self.folder / "embedding"))
        before, after = (self.scores("--model", self.model, "--adapter", self.folder / name) for name in ("embedding", "embedding-prompt"))
        self.assertEqual(before, after)

    def test_what_peft_cannot_express_is_refused(self):
        for name in ("infix", "top_layers", "mam"):
            with self.subTest(name):
                self.refused("convert", "--model", self.model, "--adapter", self.folder / name, "--format", "peft", "--output", self.folder / "no", says="PEFT has no format for")
        self.assertFalse((self.folder / "no").exists())

    def test_soft_prompts_as_arrays(self):
        shape, values = tensors_of(self.folder / "prompt")["prompt_embeddings"]
        done = run_json("convert", "--adapter", self.folder / "prompt", "--output", self.folder / "prompt.npy")  # needs no model
        self.assertEqual((done["kind"], done["shape"]), ("array", [4, 32]))
        self.assertEqual((self.folder / "prompt.npy").read_bytes(), npy(shape, values))
        self.convert("prompt-back", "--adapter", self.folder / "prompt.npy")
        self.assertEqual(tensors_of(self.folder / "prompt-back"), tensors_of(self.folder / "prompt"))
        self.assertEqual(config_of(self.folder / "prompt-back"), config_of(self.folder / "prompt"))
        wide = self.write("wide.npy", npy(shape, values, "<f8"))
        self.convert("prompt-wide", "--adapter", wide)
        self.assertEqual(tensors_of(self.folder / "prompt-wide"), tensors_of(self.folder / "prompt"))
        for name in ("lora", "prefix", "infix", "mam"):
            self.refused("convert", "--adapter", self.folder / name, "--output", self.folder / "no.npy", says="expected a soft prompt")
        self.assertFalse((self.folder / "no.npy").exists())

    def test_arrays_that_are_no_prompts(self):
        before = (self.folder / "lora/adapter_model.safetensors").read_bytes()
        for name, data, says in (("narrow.npy", npy([2, 31], [0.0] * 62), ["[2, 31]", "[virtual tokens, 32]"]), ("flat.npy", npy([32, 1, 1], [0.0] * 32), "no soft prompt"),
                                 ("none.npy", npy([0, 32], []), "no soft prompt"), ("nan.npy", npy([1, 32], [0.0] * 31 + [math.nan]), ["bad value", "element 31"]),
                                 ("cut.npy", npy([2, 32], [0.0] * 64)[:-3], "size"), ("text.npy", b"no array", "not a .npy file")):
            with self.subTest(name):
                self.refused("convert", "--model", self.model, "--adapter", self.write(name, data), "--output", self.folder / "lora", says=says)
        self.refused("convert", "--model", self.model, "--adapter", self.folder / "absent.npy", "--output", self.folder / "lora", says="absent.npy")
        self.assertEqual((self.folder / "lora/adapter_model.safetensors").read_bytes(), before)

    def test_published_prompts_of_a_model_without_its_weights(self):
        data = pathlib.Path(os.environ.get("GRAFT_DATA", pathlib.Path(__file__).parents[3] / "shared/data"))
        prompts = sorted((data / "google_prompt_tuning").rglob("*.npy"))
        if not prompts:
            self.skipTest(f"no published prompts in {data}")
        model = self.folder / "t5"
        model.mkdir()
        (model / "config.json").write_text(json.dumps({"model_type": "t5", "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12, "vocab_size": 32128, "pad_token_id": 0,
                                                       "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}))
        for path in prompts:
            with self.subTest(path.name):
                folder = self.folder / path.stem
                done = run_json("convert", "--model", model, "--adapter", path, "--output", folder)
                self.assertEqual((done["strategy"], done["format"], done["parameters"]), ("prompt_tuning", "PEFT", 76800))
                config = config_of(folder)
                expected = {"peft_type": "PROMPT_TUNING", "task_type": "SEQ_2_SEQ_LM", "num_virtual_tokens": 100, "token_dim": 768, "num_layers": 12, "num_attention_heads": 12}
                self.assertEqual({key: config[key] for key in expected}, expected)
                run("convert", "--adapter", folder, "--output", self.folder / "again.npy")
                self.assertEqual((self.folder / "again.npy").read_bytes(), path.read_bytes())

    def test_weighted_sums(self):
        expected = {}
        for weight, name in ((0.7, "lora"), (-0.3, "other")):
            for module, change in changes(self.folder / name).items():
                old = expected.get(module, [0.0] * len(change))
                expected[module] = [x + weight * y for x, y in zip(old, change)]
        parts = ("--combine", f"{self.folder / 'lora'}:0.7", f"{self.folder / 'other'}:-0.3")
        for name, options, rank in (("cat", ("--combination", "cat"), 5), ("svd", ("--rank", "5"), 5)):
            with self.subTest(name):
                done = self.convert("sum-" + name, *parts, *options)
                self.assertEqual((done["strategy"], done["format"]), ("lora", "PEFT"))
                self.assertEqual(config_of(self.folder / ("sum-" + name))["r"], rank)
                got = changes(self.folder / ("sum-" + name))
                self.assertEqual(got.keys(), expected.keys())
                for module, change in expected.items():
                    largest = max(map(abs, change))
                    self.assertLess(max(abs(x - y) for x, y in zip(got[module], change)), 1e-5 * largest, module)
        self.assertEqual(config_of(self.folder / "lora")["r"], 3)
        self.convert("sum-short", *parts)
        self.assertEqual(config_of(self.folder / "sum-short")["r"], 3)
        self.refused("convert", "--model", self.model, *parts, "--combination", "linear", "--output", self.folder / "no", says=["ranks 3 and 2", "linear"])
        self.refused("convert", "--model", self.model, "--combine", f"{self.folder / 'prefix'}:1", "--output", self.folder / "no", says=["prefix_tuning", "lora, ia3"])
        self.refused("convert", "--model", self.model, "--combine", f"{self.folder / 'lora'}:1", f"{self.folder / 'ia3'}:1", "--output", self.folder / "no", says=["ia3", "expected lora"])

    def test_merged_models(self):
        base = tensors_of(self.model, "model.safetensors")
        done = self.convert("merged", "--adapter", self.folder / "lora", "--merge")
        self.assertEqual((done["kind"], done["architecture"]), ("model", "llama"))
        self.assertIn("tokenizer.json", done["copied"])
        merged, change = tensors_of(self.folder / "merged", "model.safetensors"), changes(self.folder / "lora")
        self.assertEqual(merged.keys(), base.keys())
        for name, (shape, values) in base.items():
            module = "base_model.model." + name.removesuffix(".weight")
            expected = [x + y for x, y in zip(values, change[module])] if module in change else values
            self.assertEqual(merged[name][0], shape)
            self.assertLess(max(abs(x - y) for x, y in zip(merged[name][1], expected)), 1e-6, name)
        for adapter in ("lora", "ia3", "top_layers"):
            self.convert("merged-" + adapter, "--adapter", self.folder / adapter, "--merge")
            for x, y in zip(self.scores("--model", self.folder / ("merged-" + adapter)), self.scores("--model", self.model, "--adapter", self.folder / adapter)):
                self.assertAlmostEqual(x, y, 3)
        self.convert("merged-sum", "--combine", f"{self.folder / 'lora'}:0.5", f"{self.folder / 'lora'}:0.5", "--combination", "cat", "--merge")
        again = tensors_of(self.folder / "merged-sum", "model.safetensors")
        for name in merged:
            self.assertLess(max(abs(x - y) for x, y in zip(merged[name][1], again[name][1])), 1e-6, name)
        for name in ("prefix", "prompt", "infix"):
            self.refused("convert", "--model", self.model, "--adapter", self.folder / name, "--merge", "--output", self.folder / "no", says="not in the base's weights")
        self.assertFalse((self.folder / "no").exists())

    def test_another_models_adapter(self):
        tiny_model.write_llama(self.folder / "larger", width=64)
        self.refused("convert", "--model", self.folder / "larger", "--adapter", self.folder / "lora", "--output", self.folder / "no", says=["adapter_model.safetensors", "expected"])
        self.refused("convert", "--model", self.model, "--adapter", self.model, "--output", self.folder / "no", says="holds no adapter")
        self.assertFalse((self.folder / "no").exists())

    def test_in_words(self):
        out, _ = run("convert", "--adapter", self.folder / "prompt", "--output", self.folder / "words.npy")
        self.assertEqual(out, f"wrote a soft prompt of 4 virtual tokens of width 32 to {self.folder / 'words.npy'}\n")
        out, _ = run("convert", "--model", self.model, "--adapter", self.folder / "lora", "--output", self.folder / "words", "--format", "graft")
        self.assertRegex(out, r"^wrote a lora adapter of [\d,]+ parameters in graft's format to ")


if __name__ == "__main__":
    programs.main()
