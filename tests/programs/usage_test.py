"""Every program explains itself, and refuses wrong command lines with exit status 2."""

import unittest

import programs
from programs import NAMES, ProgramTest, run


class Usage(ProgramTest):
    def test_help_goes_to_standard_output_and_shows_defaults(self):
        shown = {"finetune": ["--method", "=prefix\n", "prefix tuning", "--recipe"], "generate": ["--beams", "POSITIVE=60", "--adapter"], "score": ["--tokenization", "=e2e"],
                 "inspect": ["--json", "adapter"], "convert": ["--combine", "FOLDER:WEIGHT", "=automatic", "--merge"], "compare": ["--quick", "=comparison", "--methods", "few_shot"],
                 "seq2seq": ["--scope", "--optimizer", "--beams"], "classify": ["--text-columns", "--positions", "--optimizer"], "explain": ["--source", "--words", "cosine"]}
        for name in NAMES:
            with self.subTest(name):
                out, err = run(name, "--help")
                self.assertEqual(err, "")
                for text in ("Exit status: 0, 1", "--help", "--json", *shown[name]):
                    self.assertIn(text, out)

    def test_wrong_options_are_usage_errors(self):
        model, data = self.model, self.data
        wrong = [
            ("finetune",), ("finetune", "--model", model, "--data", data, "--no-such-option"),
            ("finetune", "--model", model, "--data", data, "--output", self.folder / "x", "--method", "sorcery"),
            ("finetune", "--model", model, "--output", self.folder / "x"),  # no data
            ("finetune", "--model", model, "--data", data),  # no output
            ("finetune", "--model", model, "--data", data, "--train", data, "--output", self.folder / "x"),
            ("finetune", "--model", model, "--data", data, "--output", self.folder / "x", "--batch", "0"),
            ("finetune", "--model", model, "--data", data, "--output", self.folder / "x", "--resume"),  # without --checkpoint
            ("finetune", "--model", model, "--data", data, "--output", self.folder / "x", "--recipe", "none"),
            ("generate", "--model", model), ("generate", "--model", model, "--prompt", "a", "--sources", data),
            ("generate", "--model", model, "--prompt", "a", "--greedy", "--beams", "3"), ("generate", "--model", model, "--prompt", "a", "--temperature", "0.5"),
            ("generate", "--model", model, "--prompt", "a", "--beams", "2", "--sequences", "3"), ("generate", "--model", model, "--prompt", "a", "--sequences", "3"),
            ("score", "--metric", "sorcery", "--hypotheses", data, "--references", data), ("inspect",),
            ("convert",), ("convert", "--output", self.folder / "x"), ("convert", "--adapter", data, "--output", self.folder / "x"),  # no adapter, no model
            ("convert", "--adapter", data, "--combine", "a:1", "--model", model, "--output", self.folder / "x"),
            *(("convert", "--combine", part, "--model", model, "--output", self.folder / "x") for part in ("a", "a:", ":1", "a:much", "a:nan")),
            ("convert", "--adapter", data, "--rank", "2", "--model", model, "--output", self.folder / "x"),
            ("convert", "--adapter", data, "--merge", "--format", "peft", "--model", model, "--output", self.folder / "x"),
            ("convert", "--adapter", "x.npy", "--merge", "--model", model, "--output", self.folder / "x"), ("convert", "--adapter", data, "--merge", "--output", self.folder / "x.npy"),
            ("convert", "--adapter", data, "--merge", "--model", model, "--output", model),
            ("explain", "--model", model, "--source", "a"), ("explain", "--model", model, "--adapter", data),
            ("explain", "--model", model, "--adapter", data, "--source", "a", "--weights"), ("explain", "--model", model, "--adapter", data, "--source", "a", "--words", "0"),
            ("explain", "--model", model, "--adapter", data, "--source", "a", "--target", "b", "--max-new", "3"),
            ("compare",), ("compare", "--model", model, "--methods", "sorcery"), ("compare", "--model", model, "--learning-rate", "lora=much"),
            ("compare", "--model", model, "--methods", "lora", "--learning-rate", "prefix=0.1"), ("compare", "--model", model, "--learning-rate", "-1"),
        ]
        for command in wrong:
            with self.subTest(command):
                out, err = run(*command, status=2)
                self.assertEqual(out, "")
                self.assertIn("--help", err)
        self.assertFalse((self.folder / "x").exists())


if __name__ == "__main__":
    programs.main()
