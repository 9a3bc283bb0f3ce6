"""Missing, damaged and contradictory inputs: one clear sentence, exit status 1, nothing overwritten."""

import json
import shutil
import struct

import programs
import tiny_model
from programs import ProgramTest, run


class BadModels(ProgramTest):
    def every_program(self, model, says):
        for name, *arguments in (("finetune", "--data", self.data, "--output", self.folder / "out"), ("generate", "--prompt", "a")):
            with self.subTest(name):
                self.refused(name, "--model", model, *arguments, says=says)
        with self.subTest("inspect"):
            self.refused("inspect", model, says=says)
        self.assertFalse((self.folder / "out").exists())
        self.comparison(model, says)

    def comparison(self, model, says):
        report = self.folder / "earlier" / "report.json"
        report.parent.mkdir(exist_ok=True)
        report.write_text("kept")
        with self.subTest("compare"):
            self.refused("compare", "--model", model, "--data", self.data, "--out", report.parent, says=says)
            self.assertEqual([path.name for path in report.parent.iterdir()], ["report.json"])
            self.assertEqual(report.read_text(), "kept")

    def test_missing(self):
        self.every_program(self.folder / "nothing-here", "nothing-here")

    def test_neither_gguf_nor_safetensors(self):
        self.every_program(self.write("text.gguf", "This is no model, although it is named like one."), ["text.gguf", "not a GGUF file"])
        self.every_program(self.write("empty.gguf", ""), "empty.gguf")

    def test_truncated_gguf(self):
        for size in (3, 12, 40):
            header = b"GGUF" + struct.pack("<IQQ", 3, 5, 1) + struct.pack("<Q", 20) + b"general.architecture" + struct.pack("<IQ", 8, 5) + b"llama"
            self.every_program(self.write("cut.gguf", header[:size]), "cut.gguf")

    def test_truncated_safetensors(self):
        damaged = self.folder / "damaged"
        shutil.copytree(self.model, damaged, dirs_exist_ok=True)
        weights = damaged / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        self.every_program(damaged, "model.safetensors")

    def test_unknown_architecture(self):
        other = self.folder / "other"
        tiny_model.write_llama(other, model_type="transformer-xl")
        self.every_program(other, ["transformer-xl", "expected"])

    def test_config_that_contradicts_the_tensors(self):
        wide = self.folder / "wide"
        tiny_model.write_llama(wide, intermediate_size=64)
        self.refused("generate", "--model", wide, "--prompt", "a", says=["shape", "expected"])
        self.comparison(wide, ["shape", "expected"])

    def test_prompt_longer_than_the_model(self):
        self.refused("generate", "--model", self.model, "--prompt", "x" * 600, says=["600 tokens", "512 positions"])


class BadData(ProgramTest):
    def tuned(self, data, says):
        kept = self.folder / "adapter"
        kept.mkdir(exist_ok=True)
        (kept / "adapter_config.json").write_text("kept")
        self.refused("finetune", "--model", self.model, "--data", data, "--method", "lora", "--output", kept, says=says)
        self.refused("compare", "--model", self.model, "--data", data, "--out", self.folder / "out", says=says)
        self.assertEqual((kept / "adapter_config.json").read_text(), "kept")
        self.assertFalse((self.folder / "out" / "report.html").exists())

    def test_missing(self):
        self.tuned(self.folder / "no-data.csv", "no-data.csv")

    def test_empty(self):
        self.tuned(self.write("empty.txt", ""), "empty.txt")
        self.tuned(self.write("header.csv", "mr,ref\n"), "header.csv")

    def test_malformed_csv_names_the_line(self):
        good = 'mr,ref\n"name[A], food[B]",A text.\n"name[C], food[D]",Another.\n'
        self.tuned(self.write("columns.csv", good + "one column\n"), "line 4")
        self.tuned(self.write("quote.csv", good + '"name[E],never closed\n'), "line 4")
        self.tuned(self.write("meaning.csv", good + '"name E",A text.\n'), "line 4")

    def test_malformed_lines(self):
        self.tuned(self.write("separator.txt", "a || b\nno separator\n"), "line 2")
        self.tuned(self.write("latin.txt", b"a || b\nc || caf\xe9\n"), ["line 2", "UTF-8"])

    def test_diverging_training_says_so(self):
        out = self.folder / "diverged"
        self.refused("finetune", "--model", self.model, "--data", self.data, "--method", "full", "--learning-rate", "1e30", "--output", out, says="step")
        self.assertFalse(out.exists())

    def test_output_that_cannot_be_written_is_known_before_the_training(self):
        taken = self.write("taken", "kept")
        for output in (taken, taken / "below"):
            _, err = run("finetune", "--model", self.model, "--data", self.data, "--method", "lora", "--output", output, status=1)
            self.assertRegex(err, r"^finetune: \[.*taken.*\n$")
        self.refused("compare", "--model", self.model, "--data", self.data, "--out", taken, says="taken")
        self.refused("compare", "--model", self.model, "--data", self.data, "--out", self.data / "within", says=("within", "cannot be made"))
        self.assertEqual(taken.read_text(), "kept")
        self.refused("generate", "--model", self.model, "--prompt", "a", "--output", taken / "below", says="taken")

    def test_sources(self):
        self.refused("generate", "--model", self.model, "--sources", self.folder / "no-sources", says="no-sources")
        self.refused("generate", "--model", self.model, "--sources", self.write("none.txt", ""), says="none.txt")

    def test_score_of_files_that_do_not_match(self):
        self.refused("score", "--hypotheses", self.write("h.txt", "a\nb\n"), "--references", self.write("r.txt", "a\n\nb\n\nc\n"), says="3 blocks")


class BadAdapters(ProgramTest):
    def test_missing_and_damaged(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.refused("generate", "--model", self.model, "--adapter", empty, "--prompt", "a", says="adapter")
        self.refused("inspect", empty, says="empty")
        (empty / "adapter_config.json").write_text(json.dumps({"peft_type": "SORCERY"}))
        self.refused("generate", "--model", self.model, "--adapter", empty, "--prompt", "a", says="SORCERY")
        self.refused("inspect", empty, says="adapter_model.safetensors")

    def test_of_another_model(self):
        adapter, wide = self.folder / "adapter", self.folder / "wide"
        programs.run("finetune", "--model", self.model, "--data", self.data, "--method", "lora", "--steps", "1", "--output", adapter)
        tiny_model.write_llama(wide, width=64)
        self.refused("generate", "--model", wide, "--adapter", adapter, "--prompt", "a", says=["adapter_model.safetensors", "expected"])


if __name__ == "__main__":
    programs.main()
