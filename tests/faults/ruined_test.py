"""A model that the last update has ruined is not saved in the place of a good one: no program, no checkpoint."""

import json

import faults
import tiny_model
from faults import run

RUIN = ("--steps", 1, "--learning-rate", "1e38", "--clip", 0, "--weight-decay", 0, "--schedule", "constant", "--batch", 2)


class Ruined(faults.FaultTest):
    def setUp(self):
        super().setUp()
        self.llama, self.bart, self.bert = self.folder / "llama", self.folder / "bart", self.folder / "bert"
        tiny_model.write_llama(self.llama)
        tiny_model.write_bart(self.bart)
        tiny_model.write_bert(self.bert, ["good", "bad"])
        self.pairs, self.classes = self.folder / "pairs.tsv", self.folder / "classes.tsv"
        self.pairs.write_text("ab\tAB\nba\tBA\n" * 4)
        self.classes.write_text("good\t1\nbad\t0\n" * 4)
        self.trainings = {"finetune": (self.llama, self.pairs), "seq2seq": (self.bart, self.pairs), "classify": (self.bert, self.classes)}

    def state(self, folder):
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def test_the_earlier_adapter_stays(self):
        for program, (model, data) in self.trainings.items():
            for method in ("lora", "full", "prefix"):
                with self.subTest(f"{program} {method}"):
                    out = self.folder / f"{program}_{method}"
                    common = ("--model", model, "--train", data, "--method", method, "--output", out)
                    run(program, *common, "--steps", 1)
                    before = self.state(out)
                    out_text, err = run(program, *common, *RUIN, status=1)
                    self.assertEqual(out_text, "")
                    for says in ("[Trainer] the model is ruined after step 1", "nothing is saved of it", "hint: a lower learning rate"):
                        self.assertIn(says, err)
                    self.assertEqual(self.state(out), before)

    def test_the_earlier_checkpoints_stay(self):
        checkpoint, out = self.folder / "checkpoints", self.folder / "out"
        common = ("--model", self.llama, "--train", self.pairs, "--method", "full", "--output", out, "--checkpoint", checkpoint, "--checkpoint-every", 1)
        _, err = run("finetune", *common, *RUIN, "--warmup", 0, status=1)
        self.assertIn("is ruined after step 1", err)
        self.assertNotIn("last checkpoint is kept", err)
        self.assertFalse(out.exists())
        self.assertFalse(any(path.is_dir() for path in checkpoint.iterdir()) if checkpoint.exists() else False)

    def test_compare_says_so_in_the_row(self):
        out = self.folder / "comparison"
        data = self.folder / "data.txt"
        data.write_text("".join(f"name : N{i} || N{i} is a pub.\n" for i in range(16)))
        arguments = ("--model", self.llama, "--data", data, "--methods", "full", "--steps", 1, "--learning-rate", "1e38", "--batch", 2, "--validation-rows", 2, "--test-sources", 2, "--max-new", 3, "--out", out)
        done_out, err = run("compare", *arguments, status=1)
        self.assertRegex(err, "full.*(ruined|not finite|loss is)|loss is")
        rows = {row["method"]: row for row in json.loads((out / "report.json").read_text())["rows"]}
        self.assertTrue(rows["full"]["error"])

    def test_a_merged_model(self):
        """A sum or a merge whose numbers no float holds is refused, and the folder stays as it was."""
        adapter, out = self.folder / "adapter", self.folder / "out"
        run("finetune", "--model", self.llama, "--train", self.pairs, "--method", "lora", "--steps", 2, "--learning-rate", 1, "--output", adapter)
        for arguments in (("--combination", "linear"), ("--merge",)):
            with self.subTest(arguments=arguments):
                run("convert", "--model", self.llama, "--adapter", adapter, "--output", out, *(("--merge",) if "--merge" in arguments else ()))
                before = self.state(out)
                self.refused("convert", "--model", self.llama, "--combine", f"{adapter}:1e300", "--output", out, *arguments, says="expected")
                self.assertEqual(self.state(out), before)


if __name__ == "__main__":
    faults.main()
