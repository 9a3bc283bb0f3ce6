"""seq2seq and classify on tiny models: they learn, save, come back from their folders, and say what is wrong with their input."""

import json
import pathlib
import shutil

import programs
import tiny_model
from programs import ProgramTest, run, run_json

RECORDED = pathlib.Path(__file__).parent.parent / "text" / "recorded"


class Pairs(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bart = cls.folder / "bart"
        tiny_model.write_bart(cls.bart)
        cls.pairs = cls.write("pairs.tsv", "ab\tAB\nba\tBA\naa\tAA\nbb\tBB\n" * 4)

    def train(self, method, name, *more):
        return run_json("seq2seq", "--model", self.bart, "--train", self.pairs, "--test", self.pairs, "--method", method, "--output", self.folder / name, "--max-new", 8, *more)

    def test_every_strategy_learns_and_comes_back_from_its_folder(self):
        untrained = run_json("seq2seq", "--model", self.bart, "--test", self.pairs, "--max-new", 8)
        self.assertEqual((untrained["test_sources"], untrained["exact_match"]), (4, 0))
        for method in ("prefix", "prefix_mlp", "prompt", "infix", "embedding", "adapter", "lora", "bitfit", "top_layers", "full", "ia3", "p_tuning", "parallel_adapter", "mam"):
            with self.subTest(method):
                summary = self.train(method, method, "--epochs", 2, "--learning-rate", 0.01, *(["--layers", 1] if method == "top_layers" else []))
                self.assertGreater(summary["trainable"], 0)
                again = run_json("seq2seq", "--model", self.bart, "--adapter", self.folder / method, "--test", self.pairs, "--max-new", 8)
                for key in ("exact_match", "character_error_rate", "bleu"):
                    self.assertEqual(again[key], summary[key], key)

    def test_learns_pairs_by_heart(self):
        written = self.folder / "written.txt"
        summary = self.train("full", "by_heart", "--epochs", 60, "--learning-rate", 0.005, "--batch", 8, "--predictions", written)
        self.assertEqual((summary["exact_match"], summary["character_error_rate"]), (1, 0))
        self.assertEqual(written.read_text(), "AB\nBA\nAA\nBB\n")
        beams = run_json("seq2seq", "--model", self.bart, "--adapter", self.folder / "by_heart", "--test", self.pairs, "--max-new", 8, "--beams", 3, "--length-penalty", 1.0)
        self.assertEqual(beams["exact_match"], 1)

    def test_a_training_that_leaves_nothing_says_so_first(self):
        bert, classes = self.folder / "bert", self.write("classes.tsv", "good\t1\nbad\t0\n")
        tiny_model.write_bert(bert, ["good", "bad"])
        for name, model, data in (("seq2seq", self.bart, self.pairs), ("classify", bert, classes)):
            train = (name, "--model", model, "--train", data, "--method", "lora", "--steps", 1)
            lines = run(*train)[1].splitlines()
            said = f"{name}: the trained model is thrown away at the end, for there is neither --output nor --test"
            self.assertLess(lines.index(said), next(number for number, line in enumerate(lines) if "trainable" in line))
            for more in (("--output", self.folder / "thrown"), ("--test", data)):
                self.assertNotIn("thrown away", run(*train, *more)[1])

    def test_optimizers(self):
        adamw, adafactor = (self.train("prompt", name, "--steps", 3, "--optimizer", name, "--schedule", "constant", "--learning-rate", 0.3) for name in ("adamw", "adafactor"))
        self.assertNotEqual(adamw["training_loss"], adafactor["training_loss"])

    def test_prompts_start_from_a_text_of_their_side(self):
        start = lambda name, text, *more: self.train("prompt", name, "--steps", 1, "--learning-rate", 0, "--length", 1, "--init-text", text, *more)["training_loss"]
        self.assertNotEqual(start("a", "a"), start("b", "b"))
        self.assertEqual(start("a", "a"), start("again", "a"))
        target = ("--side", "target")
        self.assertNotEqual(start("target_a", "A", *target), start("target_b", "B", *target))
        self.assertEqual(start("unknown", "é", *target), start("unknown_too", "ü", *target))

    def test_prompts_of_both_sides_come_back(self):
        summary = self.train("prompt", "both", "--side", "both", "--length", 3, "--epochs", 1)
        one = self.train("prompt", "source", "--length", 3, "--epochs", 1)
        self.assertEqual(summary["trainable"], 2 * one["trainable"])
        again = run_json("seq2seq", "--model", self.bart, "--adapter", self.folder / "both", "--test", self.pairs, "--max-new", 8)
        self.assertEqual(again["character_error_rate"], summary["character_error_rate"])
        self.refused("convert", "--adapter", self.folder / "both", "--output", self.folder / "both.npy", says="target side")

    def test_a_decoders_prefix_goes_between_its_layouts(self):
        summary = self.train("prefix", "peft", "--scope", "peft_decoder", "--positions", "shift", "--length", 3, "--epochs", 2, "--learning-rate", 0.01)
        convert = lambda start, name, form: run_json("convert", "--model", self.bart, "--adapter", self.folder / start, "--output", self.folder / name, "--format", form)
        self.assertIn("peft_type", json.loads((self.folder / "peft/adapter_config.json").read_text()))
        self.assertEqual(convert("peft", "own", "graft")["format"], "graft")
        self.assertEqual(json.loads((self.folder / "own/adapter_config.json").read_text())["settings"]["scope"], "decoder")
        again = run_json("seq2seq", "--model", self.bart, "--adapter", self.folder / "own", "--test", self.pairs, "--max-new", 8)
        self.assertEqual(again["character_error_rate"], summary["character_error_rate"])
        self.assertEqual(convert("own", "back", "peft")["format"], "PEFT")
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            self.assertEqual((self.folder / "back" / file).read_bytes(), (self.folder / "peft" / file).read_bytes(), file)
        self.train("prefix", "three", "--length", 3, "--steps", 1)
        self.refused("convert", "--model", self.bart, "--adapter", self.folder / "three", "--output", self.folder / "no", "--format", "peft", says="PEFT has no format for")

    def test_a_t5_with_its_own_pieces(self):
        model = self.folder / "t5"
        tiny_model.write_t5(model)
        shutil.copy(RECORDED / "unigram" / "tokenizer.model", model / "spiece.model")
        pairs = self.write("texts.tsv", "the dog\tthe fox sleeps in the garden\nthe fox\tthe dog jumps over the fox\n" * 4)
        summary = run_json("seq2seq", "--model", model, "--train", pairs, "--test", pairs, "--method", "full", "--epochs", 60, "--learning-rate", 0.005, "--batch", 8, "--max-new", 12)
        self.assertEqual(summary["exact_match"], 1)
        self.assertAlmostEqual(summary["bleu"], 100)

    def test_bad_input(self):
        self.refused("seq2seq", "--model", self.model, "--test", self.pairs, says=("llama", "expected an encoder-decoder", "finetune"))
        self.refused("seq2seq", "--model", self.folder / "nowhere", "--test", self.pairs, says="nowhere")
        self.refused("seq2seq", "--model", self.bart, "--train", self.write("none.tsv", ""), "--method", "lora", says="none.tsv")
        self.refused("seq2seq", "--model", self.bart, "--train", self.write("one.tsv", "no tab here\n"), "--method", "lora", says=("one.tsv", "line 1"))
        run("seq2seq", "--model", self.bart, status=2)
        run("seq2seq", "--model", self.bart, "--train", self.pairs, "--method", "none", status=2)


class Classes(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bert = cls.folder / "bert"
        fillers = [f"word{i}" for i in range(12)]
        tiny_model.write_bert(cls.bert, ["good", "bad", *fillers])
        cls.rows = cls.write("rows.tsv", "".join(f"{word} {filler}\t{label}\n" for filler in fillers for label, word in enumerate(("bad", "good"))))

    def test_strategies_learn_and_come_back(self):
        for method in ("prefix", "prompt", "lora", "bitfit", "full", "head", "adapter", "ia3", "p_tuning"):
            with self.subTest(method):
                summary = run_json("classify", "--model", self.bert, "--train", self.rows, "--validation", self.rows, "--method", method, "--epochs", 8, "--batch", 8, "--learning-rate", 0.01,
                                   "--output", self.folder / method)
                predicted = self.folder / "predicted.txt"
                again = run_json("classify", "--model", self.bert, "--adapter", self.folder / method, "--test", self.rows, "--predictions", predicted)
                self.assertEqual(again["test_accuracy"], summary["validation_accuracy"])
                self.assertEqual(len(predicted.read_text().split()), 24)
                if method == "full":
                    self.assertEqual((summary["validation_accuracy"], summary["validation_matthews"]), (1, 1))

    def test_pairs_header_and_other_columns(self):
        lines = "id\tfirst\tsecond\tlabel\n" + "".join(f"{i}\t{a}\t{b}\t{int(a == b)}\n" for i, (a, b) in enumerate([("good", "good"), ("bad", "good"), ("bad", "bad"), ("good", "bad")] * 4))
        rows = self.write("pairs_of_texts.tsv", lines)
        summary = run_json("classify", "--model", self.bert, "--train", rows, "--validation", rows, "--method", "full", "--epochs", 60, "--batch", 8, "--learning-rate", 0.003, "--header",
                           "--text-columns", "2,3", "--label-column", 4)
        self.assertEqual((summary["training_rows"], summary["validation_accuracy"]), (16, 1))

    def test_bad_input(self):
        self.refused("classify", "--model", self.bert, "--train", self.rows, "--method", "infix", says=("infix", "bert"))
        self.refused("classify", "--model", self.bert, "--train", self.write("label.tsv", "good\tyes\n"), "--method", "head", says=("label.tsv", "line 1", "'yes'"))
        self.refused("classify", "--model", self.bert, "--train", self.write("column.tsv", "good\n"), "--method", "head", says=("column.tsv", "line 1", "columns"))
        self.refused("classify", "--model", self.bert, "--train", self.write("empty.tsv", "\n"), "--method", "head", says=("empty.tsv", "holds no rows"))


if __name__ == "__main__":
    programs.main()
