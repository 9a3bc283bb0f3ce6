"""Classes that a classifier cannot know, and adapters of another task, are refused or said before anything is predicted."""

import faults
import tiny_model
from faults import run


class Classes(faults.FaultTest):
    def setUp(self):
        super().setUp()
        self.bert = self.folder / "bert"
        self.words = ["good", "bad", "fair", *(f"word{i}" for i in range(8))]
        tiny_model.write_bert(self.bert, self.words)
        self.two, self.three = self.rows("two.tsv", (0, 1)), self.rows("three.tsv", (0, 1, 2))

    def rows(self, name, labels):
        path = self.folder / name
        path.write_text("".join(f"{self.words[label % 3]} word{i}\t{label}\n" for i in range(8) for label in labels))
        return path

    def adapter(self, rows, method="lora"):
        folder = self.folder / f"{rows.stem}_{method}"
        run("classify", "--model", self.bert, "--train", rows, "--method", method, "--steps", 1, "--output", folder)
        return folder

    def test_a_class_that_the_adapter_lacks(self):
        predictions = self.folder / "predictions.txt"
        for method in ("lora", "prefix", "head", "full", "adapter", "bitfit"):
            with self.subTest(method):
                self.refused("classify", "--model", self.bert, "--adapter", self.adapter(self.two, method), "--test", self.three, "--predictions", predictions,
                             says=("three.tsv] line 3 has the class 2; expected 0 to 1", "hint:"))
        self.refused("classify", "--model", self.bert, "--adapter", self.adapter(self.two), "--validation", self.three, says="line 3 has the class 2")
        self.assertFalse(predictions.exists())

    def test_fewer_classes_than_the_adapter_has(self):
        _, err = run("classify", "--model", self.bert, "--adapter", self.adapter(self.three), "--test", self.two)
        self.assertIn("two.tsv] has no row of a class above 1; got an adapter that tells 3 classes apart", err)
        _, err = run("classify", "--model", self.bert, "--adapter", self.adapter(self.three), "--test", self.three)
        self.assertNotIn("no row of", err)

    def test_classes_that_the_training_lacks(self):
        train = ("classify", "--model", self.bert, "--method", "lora", "--steps", 1, "--train")
        self.assertIn("two.tsv] has no row of the class 2, which --validation or --test has", run(*train, self.two, "--test", self.three)[1])
        self.assertIn("has no row of the class 1; got rows of 2 classes up to 2", run(*train, self.rows("gap.tsv", (0, 2)))[1])
        self.assertIn("high.tsv] has no row of the class 0, which --validation", run(*train, self.rows("high.tsv", (1, 2)), "--test", self.three)[1])
        self.assertNotIn("no row of", run(*train, self.three, "--test", self.two)[1])

    def test_a_trained_head_that_is_thrown_away_is_said(self):
        whole = self.folder / "whole"
        run("convert", "--adapter", self.adapter(self.two, "full"), "--model", self.bert, "--merge", "--output", whole)
        train = ("classify", "--model", whole, "--method", "lora", "--steps", 1, "--train")
        self.assertIn("whole] has a trained head of 2 classes, which is thrown away; got rows of 3 classes", run(*train, self.three)[1])
        self.assertNotIn("thrown away;", run(*train, self.two)[1])
        self.assertNotIn("thrown away;", run("classify", "--model", self.bert, "--method", "lora", "--steps", 1, "--train", self.three)[1])

    def test_the_limit_of_class_numbers_is_said(self):
        rows = self.folder / "large.tsv"
        rows.write_text("good\t1000000\n")
        self.refused("classify", "--model", self.bert, "--train", rows, "--method", "lora", "--steps", 1, says="expected a number from 0 to 999999")

    def test_adapters_of_another_task(self):
        llama, bart, pairs = self.folder / "llama", self.folder / "bart", self.folder / "pairs.tsv"
        tiny_model.write_llama(llama)
        tiny_model.write_bart(bart)
        pairs.write_text("ab\tAB\n" * 4)
        made = {"classify": self.adapter(self.two)}
        for program, model in (("finetune", llama), ("seq2seq", bart)):
            made[program] = self.folder / program
            run(program, "--model", model, "--train", pairs, "--method", "lora", "--steps", 1, "--output", made[program])
        uses = {"finetune": ("generate", "--model", llama, "--prompt", "a", "--max-new", 2), "seq2seq": ("seq2seq", "--model", bart, "--test", pairs, "--max-new", 2),
                "classify": ("classify", "--model", self.bert, "--test", self.two)}
        for of, folder in made.items():
            for own, use in uses.items():
                with self.subTest(f"{own} with an adapter of {of}"):
                    if of == own:
                        run(*use, "--adapter", folder)
                    else:
                        self.refused(*use, "--adapter", folder, says="expected")
                        (folder / "graft_template.json").rename(self.folder / "template")  # as PEFT's own folders are
                        self.refused(*use, "--adapter", folder, says="expected")
                        (self.folder / "template").rename(folder / "graft_template.json")
        self.refused("generate", "--model", self.bert, "--adapter", made["classify"], "--prompt", "a", says="classif")


if __name__ == "__main__":
    faults.main()
