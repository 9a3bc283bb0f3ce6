"""Adapters and trainings over a base with another configuration, inputs that cannot be read, and weighted sums that no float holds."""

import json
import os
import shutil
import struct

import faults
import tiny_gguf
import tiny_model
from written_files import BaseTest, FileTest, as_bfloat16, said


def configured(model, copy, drop=(), **changes):
    """A copy of a model with another config.json."""
    shutil.copytree(model, copy)
    config = {**json.loads((copy / "config.json").read_text()), **changes}
    (copy / "config.json").write_text(json.dumps({key: value for key, value in config.items() if key not in drop}))
    return copy


class Configurations(BaseTest):
    """An adapter over the same weights under another configuration."""

    def test_another_configuration_is_refused(self):
        self.train(self.folder / "lora", steps=1)
        for number, (changes, says) in enumerate([
            ({"rms_norm_eps": 1e-6}, "norm_epsilon"),
            ({"rope_theta": 500.0}, "rotary_frequencies"),
            ({"rope_scaling": {"rope_type": "linear", "factor": 2.0}}, "rotary_frequencies"),
            ({"hidden_act": "gelu"}, "activation"),
            ({"num_attention_heads": 8, "num_key_value_heads": 4}, "head"),
        ]):  # fmt: skip
            with self.subTest(changes=changes):
                other = configured(self.model, self.folder / f"other{number}", **changes)
                line = self.one_sentence(self.generate(other, self.folder / "lora", status=1)[1], "generate")
                for part in ("was made over a base of another configuration", says, "--any-base"):
                    self.assertIn(part, line)
                self.assertNotIn("other weights", line)
                self.assertIn("another configuration", self.generate(other, self.folder / "lora", "--any-base")[1])

    def test_both_are_named(self):
        self.train(self.folder / "lora", steps=1)
        tiny_model.write_llama(self.folder / "other", layers=1, width=16, inner=24, positions=128, seed=1, rms_norm_eps=1e-6)
        self.assertIn("other weights and of another configuration", self.one_sentence(self.generate(self.folder / "other", self.folder / "lora", status=1)[1], "generate"))

    def test_another_type_does_not_excuse_it(self):
        self.train(self.folder / "lora", steps=1)
        as_bfloat16(self.model, self.folder / "bf16")
        line = self.one_sentence(self.generate(configured(self.folder / "bf16", self.folder / "other", rms_norm_eps=1e-3), self.folder / "lora", status=1)[1], "generate")
        self.assertIn("another configuration", line)

    def test_the_same_under_other_spellings(self):
        self.train(self.folder / "lora", steps=1)
        same = configured(self.model, self.folder / "same", drop=["rope_theta"], rope_parameters={"rope_type": "default", "rope_theta": 10000}, hidden_act="swish", head_dim=4,
                          max_position_embeddings=96, model_type="mistral", eos_token_id=3)
        self.assertNotIn("warning: ", self.generate(same, self.folder / "lora")[1])
        tiny_gguf.write_gguf(self.model, self.folder / "same.gguf")
        self.assertEqual(self.generate(self.folder / "same.gguf", self.folder / "lora"), self.generate(self.model, self.folder / "lora"))
        tiny_gguf.write_gguf(self.model, self.folder / "other.gguf", **{"llama.rope.freq_base": 500.0})
        self.assertIn("rotary_frequencies", self.one_sentence(self.generate(self.folder / "other.gguf", self.folder / "lora", status=1)[1], "generate"))

    def test_an_adapter_of_an_earlier_version(self):
        self.train(self.folder / "lora", steps=1)
        path = self.folder / "lora/adapter_model.safetensors"
        data = path.read_bytes()
        size = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:size])
        said = header["__metadata__"].pop("graft_base_configuration")
        self.assertEqual(json.loads(said)["heads"], 4)
        self.assertEqual(faults.run_json("inspect", self.folder / "lora")["base"]["configuration"], json.loads(said))
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[size:])
        other = configured(self.model, self.folder / "other", rms_norm_eps=1e-3)
        self.assertNotIn("warning: ", self.generate(other, self.folder / "lora")[1])
        self.assertIsNone(faults.run_json("inspect", self.folder / "lora")["base"]["configuration"])

    def test_a_training_is_not_resumed_over_another(self):
        checkpoint = self.folder / "ck"
        self.train(self.folder / "lora", "--checkpoint", checkpoint, "--checkpoint-every", 1, steps=1)
        other = configured(self.model, self.folder / "other", rms_norm_eps=1e-3)
        line = self.one_sentence(self.train(self.folder / "again", "--checkpoint", checkpoint, "--resume", model=other, status=1, steps=1)[1], "finetune")
        for part in ("over a base of another configuration", "norm_epsilon", "1e-05", "0.001"):
            self.assertIn(part, line)
        tiny_gguf.write_gguf(self.model, self.folder / "same.gguf")
        self.train(self.folder / "again", "--checkpoint", checkpoint, "--resume", model=self.folder / "same.gguf", steps=1)


class Unreadable(FileTest):
    """The reason why an input cannot be read is the true one."""

    def test_a_read_error_of_data(self):
        out, err = faults.run("finetune", "--model", self.model, "--train", "/proc/self/mem", "--method", "lora", "--output", self.folder / "a", status=1)
        line = self.one_sentence(err, "finetune")
        for part in ("/proc/self/mem", "cannot be read", os.strerror(5)):
            self.assertIn(part, line)

    def test_a_folder_that_may_not_be_looked_into(self):
        locked = self.folder / "locked"
        locked.mkdir()
        self.train(self.folder / "lora", steps=1)
        library = os.environ.get("GRAFT_KILL_LIBRARY")
        if not library:
            return said("Unreadable: GRAFT_KILL_LIBRARY names no library")
        for name, arguments in (("generate", ("--model", locked, "--prompt", "a")), ("generate", ("--model", self.model, "--adapter", locked, "--prompt", "a")), ("inspect", (locked,)),
                                ("convert", ("--model", locked, "--adapter", self.folder / "lora", "--output", self.folder / "out"))):
            for number, reason in ((13, os.strerror(13)), (5, os.strerror(5))):
                process = self.start(name, *arguments, environment={"LD_PRELOAD": library, "GRAFT_STAT_FAILS": str(locked) + "/", "GRAFT_STAT_ERROR": str(number)})
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 1, (arguments, out, err))
                line = self.one_sentence(err, name)
                self.assertIn(reason, line)
                self.assertIn(str(locked), line)


class Sums(FileTest):
    """Weighted sums that no float holds."""

    def test_weights_and_results_that_are_too_large(self):
        for method in ("lora", "ia3"):
            adapter, output = self.folder / method, self.folder / f"sum of {method}"
            self.train(adapter, method=method)
            kinds = [["--combination", how] for how in ("svd", "cat", "linear")] if method == "lora" else [[]]
            for weight, says in (("1e45", "1e+45"), ("-1e200", "-1e+200"), ("3e38", "3e+38" if method == "lora" else "sum's")):
                for kind in kinds:
                    with self.subTest(method=method, weight=weight, kind=kind):
                        more = ["--combine", f"{adapter}:3e38"] if method == "ia3" else []
                        out, err = faults.run("convert", "--combine", f"{adapter}:{weight}", *more, *kind, "--model", self.model, "--output", output, status=1)
                        line = self.one_sentence(err, "convert")
                        self.assertIn("[combine]", line)
                        self.assertIn(says, line)
                        self.assertIn(adapter.name if "weight" in line else "sum", line)
                        self.assertFalse(output.exists())
            faults.run("convert", "--combine", f"{adapter}:0.5", "--model", self.model, "--output", output)

    def test_merging_a_scale_that_no_float_holds(self):
        adapter = self.folder / "lora"
        self.train(adapter)
        config = json.loads((adapter / "adapter_config.json").read_text())
        (adapter / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1e45}))
        out, err = faults.run("convert", "--merge", "--adapter", adapter, "--model", self.model, "--output", self.folder / "merged", status=1)
        self.assertIn("alpha 1e+45", self.one_sentence(err, "convert"))
        self.assertFalse((self.folder / "merged").exists())


if __name__ == "__main__":
    faults.main()
