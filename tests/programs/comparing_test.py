"""compare on a tiny model: rows, reports, rows that fail, and rows that are taken over."""

import html.parser
import json
import os
import shutil

import programs
import tiny_gguf
import tiny_model
from programs import ProgramTest, run

SMALL = ("--rows", "16", "--batch", "8", "--validation-rows", "4", "--test-sources", "2", "--epochs", "1", "--max-new", "8")


class Page(html.parser.HTMLParser):
    """Collects what a page asks for from elsewhere, and whether all elements are closed."""

    VOID = {"meta", "link", "img", "br", "hr", "input"}

    def __init__(self, text):
        super().__init__()
        self.open, self.outside, self.count, self.words = [], [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.outside += [f"{tag} {name}={value}" for name, value in attributes if name in ("src", "href", "xlink:href", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


class Comparing(ProgramTest):
    def compare(self, out, *more, status=0):
        text, err = run("compare", "--model", self.model, "--out", self.folder / out, *SMALL, *([] if "--methods" in more else ["--shots", "2"]), *more, status=status)
        return json.loads((self.folder / out / "report.json").read_text(encoding="utf-8")), text, err

    def test_all_rows(self):
        report, text, err = self.compare("all", "--learning-rate", "0.02")
        rows = {row["method"]: row for row in report["rows"]}
        self.assertEqual(list(rows), ["none", "few_shot", "prefix", "prefix_mlp", "prompt", "infix", "embedding", "adapter", "lora", "top_layers", "full"])
        self.assertEqual((report["data"]["training"], report["data"]["validation"], report["data"]["test"]), (16, 4, 4))
        self.assertEqual([(one["name"], one["examples"]) for one in report["data"]["tests"]], [("seen", 2), ("unseen", 2)])
        for method, row in rows.items():
            with self.subTest(method):
                self.assertEqual(row["error"], "")
                trained = method not in ("none", "few_shot")
                self.assertEqual(row["trainable"] > 0, trained)
                self.assertEqual(row["steps"], 2 if trained else 0)
                self.assertEqual(row["learning_rate"], 0.02 if trained else 0)
                self.assertEqual(row["above_none"], trained and row["validation_loss"] >= rows["none"]["validation_loss"])
                self.assertEqual(len(row["outputs"]), 4)
                self.assertGreater(row["peak_memory_mib"], 1)
                for score in ("bleu_seen", "bleu_unseen", "rouge_l_seen", "rouge_l_unseen"):
                    self.assertTrue(0 <= row[score] <= 100)
                if trained:
                    self.assertEqual(len(row["training_curve"]), 2)
                    self.assertAlmostEqual(row["validation_curve"][-1][1], row["validation_loss"])
                    self.assertGreater(row["tokens_per_second"], 0)
        for shown in ("few-shot", "prefix + MLP", "FT-TOP2", "LoRA", "unseen", "report.html"):
            self.assertIn(shown, text)
        self.assertIn("left in all", err)
        self.check_page("all")

    def test_layers_that_are_computed_again(self):
        rows = []
        for more in ((), ("--recompute",)):
            report, _, err = self.compare("recomputed", "--methods", "lora", *more)
            self.assertEqual(report["budget"]["recompute"], bool(more))
            self.assertNotIn("taken over", err.split("LoRA")[1])  # of another request: its memory and speed are its own
            rows.append({row["method"]: row for row in report["rows"]}["lora"])
        for key in ("training_loss", "validation_loss", "outputs", "trainable"):
            self.assertEqual(rows[0][key], rows[1][key])

    def test_sources_that_are_computed_once(self):
        reports = [self.compare("shared", "--methods", "lora", *more)[0] for more in ((), ("--share-sources",))]
        self.assertEqual([report["budget"]["share_sources"] for report in reports], [False, True])
        rows = [{row["method"]: row for row in report["rows"]} for report in reports]
        self.assertEqual(rows[0]["none"]["outputs"], rows[1]["none"]["outputs"])
        self.assertNotEqual(rows[0]["lora"]["training_curve"], rows[1]["lora"]["training_curve"])  # another order

    def check_page(self, out, metrics=2):
        text = (self.folder / out / "report.html").read_text(encoding="utf-8")
        page = Page(text)
        self.assertEqual((page.open, page.outside), ([], []))
        self.assertNotIn("http", text)
        self.assertNotIn("@import", text)
        self.assertNotIn("url(", text)
        self.assertEqual(page.count["svg"], 2 + metrics)  # both losses, and each metric over parameters
        self.assertGreater(page.count["path"], 10)
        self.assertNotIn("nan", text.split("<h2>Samples")[0].lower().replace("unknown", ""))
        return page, text

    def test_finished_rows_are_taken_over_until_something_changes(self):
        first, _, _ = self.compare("kept", "--methods", "lora")
        second, _, err = self.compare("kept", "--methods", "lora,prefix")
        self.assertEqual(err.count("taken over"), 2)  # none and lora
        self.assertEqual(first["rows"], second["rows"][:2])
        _, _, err = self.compare("kept", "--methods", "lora,prefix", "--seed", "1")
        self.assertEqual(err.count("taken over"), 1)  # none, which has no seed
        _, _, err = self.compare("kept", "--methods", "lora,prefix", "--seed", "1", "--fresh")
        self.assertEqual(err.count("taken over"), 0)
        damaged = next((self.folder / "kept" / "rows").glob("lora*-seed1.json"))
        damaged.write_text("{")
        _, _, err = self.compare("kept", "--methods", "lora,prefix", "--seed", "1")
        self.assertEqual(err.count("taken over"), 2)

    def rows_of_changed_files(self, model, change, *back):
        """The rows of a model before and after its files change, and how many were taken over; `back` makes the earlier files again."""
        common = ("compare", "--model", model, "--data", self.data, "--rows", 8, "--validation-rows", 2, "--test-sources", 1, "--methods", "lora", "--steps", 1, "--max-new", 2, "--out", self.folder / "changing")
        losses, taken = [], []
        for act in (lambda: None, lambda: None, change, *back):
            act()
            _, err = run(*common)
            taken.append(err.count("taken over"))
            losses.append([row["validation_loss"] for row in json.loads((self.folder / "changing/report.json").read_text(encoding="utf-8"))["rows"]])
        self.assertEqual(losses[0], losses[1])
        self.assertNotEqual(losses[1], losses[2])
        return taken

    def test_rows_of_another_model_of_the_same_size_and_time(self):
        model = self.folder / "changing_model"
        copies = [self.folder / name for name in ("one", "two")]
        for seed, copy in enumerate(copies):
            tiny_model.write_llama(copy, layers=1, seed=seed)
            for path in copy.iterdir():  # as a reproducible archive unpacks them
                os.utime(path, (0, 0))

        def put(copy):
            shutil.rmtree(model, ignore_errors=True)
            shutil.copytree(copy, model)

        def touch():  # other times of the same bytes, and files that nobody reads
            put(copies[1])
            (model / "README.md").write_text("prose")
            for path in model.iterdir():
                os.utime(path)

        put(copies[0])
        self.assertEqual(self.rows_of_changed_files(model, lambda: put(copies[1]), touch), [0, 2, 0, 2])

    def test_rows_of_another_part_of_a_split_model(self):
        for seed in (0, 1):
            tiny_model.write_llama(self.folder / f"seed{seed}", layers=1, seed=seed)
            tiny_gguf.write_gguf(self.folder / f"seed{seed}", self.folder / f"split{seed}", parts=2)
        first, second = (self.folder / f"split{seed}-00002-of-00002.gguf" for seed in (0, 1))
        self.assertEqual(self.rows_of_changed_files(self.folder / "split0-00001-of-00002.gguf", lambda: shutil.copy(second, first)), [0, 2, 0])

    def test_rows_beyond_the_data_are_said(self):
        _, err = run("compare", "--model", self.model, "--data", self.data, "--rows", 5000, "--validation-rows", 2, "--test-sources", 1, "--methods", "lora", "--steps", 1, "--max-new", 2, "--out", self.folder / "beyond")
        self.assertIn("got --rows 5000, which leaves nothing out", err)

    def test_a_failed_row_says_so_and_the_others_go_on(self):
        report, text, err = self.compare("failed", "--methods", "bitfit,lora", status=1)  # this model has no biases
        rows = {row["method"]: row for row in report["rows"]}
        self.assertIn("bias", rows["bitfit"]["error"])
        self.assertEqual(rows["lora"]["error"], "")
        self.assertIn("failed: ", text)
        self.assertIn("1 of 3 rows failed", err.rstrip().split("\n")[-1])
        self.assertIn("failed: ", "".join(self.check_page("failed")[0].words))

    def test_a_row_that_learns_nothing_is_flagged(self):
        report, text, _ = self.compare("flagged", "--methods", "full", "--learning-rate", "3")
        self.assertTrue(report["rows"][1]["above_none"])
        self.assertIn("not below that of the untrained model", text)
        self.assertIn("⚠", "".join(self.check_page("flagged")[0].words))

    def test_own_data_with_markup_in_it(self):
        data = self.write("markup.txt", "".join(f"name : <b>N{i}</b> & \"co\" | type : pub || N{i} <script>alert(1)</script> is a pub.\n" for i in range(30)))
        report, _, _ = self.compare("markup", "--data", data, "--methods", "prompt")
        self.assertEqual([(one["name"], one["examples"]) for one in report["data"]["tests"]], [("test", 4)])
        page, text = self.check_page("markup")
        self.assertNotIn("script", page.count)
        self.assertIn("&lt;script&gt;", text)
        trained = {example["source"] for example in report["test_examples"]}
        self.assertEqual(len(trained), 4)

    def test_separate_test_file(self):
        test = self.write("test.txt", "name : N1 | type : pub || It is N1.\nname : N1 | type : pub || N1.\nname : Z | type : bar || Z.\n")
        report, _, _ = self.compare("separate", "--data", self.data, "--test", test, "--methods", "lora")
        self.assertEqual([example["references"] for example in report["test_examples"]], [["It is N1.", "N1."], ["Z."]])

    def test_tuning_keeps_the_best_rate(self):
        report, _, _ = self.compare("tuned", "--methods", "lora", "--tune")
        row = report["rows"][1]
        self.assertEqual(len(row["tuning"]), 3)
        best = min(row["tuning"], key=lambda pair: pair[1])
        self.assertEqual([row["learning_rate"], row["validation_loss"]], best)
        self.assertIn("Learning rates tried", (self.folder / "tuned/report.html").read_text(encoding="utf-8"))

    def other(self, model, data, out, *more, rows=24, epochs=2):
        text, _ = run("compare", "--model", model, "--data", data, "--out", self.folder / out, "--rows", rows, "--batch", "8", "--validation-rows", "6", "--test-sources", "3", "--epochs", epochs,
                      *([] if "bert" in str(model) else ["--max-new", "8"]), "--learning-rate", "0.01", *more)
        return {row["method"]: row for row in json.loads((self.folder / out / "report.json").read_text(encoding="utf-8"))["rows"]}, text

    def test_encoder_decoder(self):
        tiny_model.write_bart(self.folder / "bart", layers=2)
        data = self.folder / "pairs.tsv"
        data.write_text("".join(f"word {i}\tWORD {i}\n" for i in range(60)), encoding="utf-8")
        rows, text = self.other(self.folder / "bart", data, "pairs")
        self.assertEqual(list(rows), ["none", "few_shot", "prefix", "prefix_mlp", "prompt", "infix", "embedding", "adapter", "lora", "top_layers", "full"])
        self.assertIn("continue a text", rows["few_shot"]["not_applicable"])
        self.assertRegex(text, r"few-shot \(!\)  +n/a")
        self.assertIn("n/a: examples in the context", text)
        for method, row in rows.items():
            if method != "few_shot":
                self.assertEqual((row["error"], row["not_applicable"], len(row["outputs"])), ("", "", 6), method)
        self.assertLess(rows["full"]["validation_loss"], rows["none"]["validation_loss"])
        self.assertFalse(rows["full"]["above_none"])
        self.check_page("pairs")

    def test_classifier(self):
        good, bad = ["good", "fine", "great"], ["bad", "poor", "awful"]
        fillers = [f"word{i}" for i in range(20)]
        tiny_model.write_bert(self.folder / "bert", good + bad + fillers)
        lines = [f"{word} {filler}\t{name}\n" for words, name in ((good, "praise"), (bad, "blame")) for word in words for filler in fillers]
        data = self.folder / "classes.tsv"
        data.write_text("".join(lines), encoding="utf-8")
        rows, text = self.other(self.folder / "bert", data, "classes", "--methods", "prefix,lora,full,infix,head", rows=80, epochs=6)
        self.assertIn("accuracy", text)
        self.assertIn("not defined for a bert model", rows["infix"]["not_applicable"])
        self.assertIn("without a classification head", rows["none"]["not_applicable"])
        for method in ("prefix", "lora", "full", "head"):
            row = rows[method]
            self.assertEqual((row["error"], row["bleu"], len(row["outputs"])), ("", None, 6), method)
            self.assertLessEqual(set(row["outputs"]), {"praise", "blame"})
        self.assertEqual(rows["full"]["accuracy"], 100)
        self.check_page("classes", metrics=1)

    def test_a_classifier_wants_classes(self):
        tiny_model.write_bert(self.folder / "bert_of_texts", ["a"])
        data = self.write("texts.tsv", "".join(f"a {i}\tsome text {i}\n" for i in range(150)))
        _, err = run("compare", "--model", self.folder / "bert_of_texts", "--data", data, "--rows", "140", "--out", self.folder / "texts", status=1)
        self.assertIn("classes for a classifier", err)

    def test_json_on_standard_output(self):
        report, text, err = self.compare("json", "--methods", "lora", "--json")
        self.assertEqual(json.loads(text), report)
        self.assertIn("LoRA", err)


if __name__ == "__main__":
    programs.main()
