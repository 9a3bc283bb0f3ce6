"""compare with files of every kind and metrics of one's own: columns by name, tasks, classes, triples, and rescoring without training."""

import csv
import json
import os
import statistics
import subprocess

import programs
import tiny_model
from programs import ProgramTest, run, run_json

SMALL = {"--rows": "8", "--batch": "4", "--validation-rows": "2", "--test-sources": "3", "--epochs": "1"}
WEBNLG = {"entries": [{str(i + 1): {"category": "Airport", "modifiedtripleset": [{"subject": f"N{i}", "property": "isA", "object": "pub"}],
                                    "lexicalisations": [{"comment": "good" if i % 2 else "toFix", "lang": "en" if i % 3 else "ru", "lex": f"N{i} is a pub."}]}} for i in range(40)]}


class Comparison(ProgramTest):
    def arguments(self, out, data, *more, model=None):
        small = (word for option in SMALL if option not in more for word in (option, SMALL[option]))
        return ("compare", "--model", model or self.model, "--data", data, "--out", self.folder / out, *small, *more)

    def report(self, out):
        return json.loads((self.folder / out / "report.json").read_text(encoding="utf-8"))

    def compare(self, out, data, *more, model=None):
        text, err = run(*self.arguments(out, data, *more, model=model))
        return self.report(out), text, err

    def refuses(self, data, *more, says, status=1, model=None):
        out, err = run(*self.arguments("refused", data, *more, model=model), status=status)
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, err)
        self.assertNotIn("[1/", err)  # before work begins
        self.assertEqual(out, "")
        self.assertFalse((self.folder / "refused").exists())


class Files(Comparison):
    MORE = ("--methods", "lora", "--max-new", "4")

    def test_columns_by_name(self):
        """The columns may stand in another order and format in each file."""
        rows = self.write("rows.csv", "n,q,a\n" + "".join(f"{i},\"N{i}, a\",pub {i}\n" for i in range(30)))
        test = self.write("test.jsonl", "".join(json.dumps({"a": f"inn {i}", "x": 1, "q": f"T{i}"}) + "\n" for i in range(3)))
        held = self.write("held.tsv", "a\tq\nbar 1\tV1\nbar 2\tV2\n")
        fields = ("--fields", "source=q,target=a")
        report, _, err = self.compare("columns", rows, "--test", test, "--validation", held, *fields, *self.MORE)
        self.assertIn("rows.csv, columns source=q,target=a", err)
        self.assertEqual([(one["source"], one["references"]) for one in report["test_examples"]], [(f"T{i}", [f"inn {i}"]) for i in range(3)])
        self.assertEqual((report["data"]["training"], report["data"]["validation"]), (8, 2))
        self.assertEqual([report["data"][key] for key in ("format", "task", "fields", "linearize", "language", "good_texts")], ["auto", "", fields[1], "", "", False])
        self.assertEqual([row["error"] for row in report["rows"]], ["", ""])
        _, _, err = self.compare("columns", rows, "--test", test, "--validation", held, *fields, *self.MORE)
        self.assertEqual(err.count("taken over"), 2)
        _, _, err = self.compare("columns", rows, "--test", test, "--validation", held, "--fields", "source=a,target=q", *self.MORE)
        self.assertEqual(err.count("taken over"), 0)
        self.refuses(rows, *self.MORE, says=("rows.csv", "got the columns n, q, a", "--fields"))
        self.refuses(rows, *self.MORE, "--fields", "source=q,target=z", says=("rows.csv", '"z"'))
        self.refuses(rows, *self.MORE, *fields, "--test", self.data, says="data.txt")
        self.refuses(rows, *self.MORE, *fields, "--task", "rte", says="--task", status=2)
        self.refuses(rows, *self.MORE, "--fields", "sauce=q", says="sauce", status=2)
        self.refuses(rows, *self.MORE, "--task", "sorcery", says="--task", status=2)

    def test_triples(self):
        data = self.write("webnlg.json", json.dumps(WEBNLG))
        few = ("--rows", "100", *self.MORE)
        plain, _, _ = self.compare("triples", data, *few)
        self.assertIn("| N", plain["test_examples"][0]["source"])
        tags, _, err = self.compare("triples", data, *few, "--linearize", "tags")
        self.assertEqual(err.count("taken over"), 0)
        self.assertIn("<H> N", tags["test_examples"][0]["source"])
        trained = lambda *more: sum(self.compare("triples", data, *few, *more)[0]["data"][key] for key in ("training", "validation", "test"))
        whole = sum(plain["data"][key] for key in ("training", "validation", "test"))
        self.assertEqual(trained("--good-texts"), whole / 2)
        self.assertEqual(trained("--language", "ru"), 14)
        lines = "".join(json.dumps({"premise": f"N{i}.", "hypothesis": "pub", "label": "entailment" if i % 2 else "not_entailment"}) + "\n" for i in range(30))
        texts, _, _ = self.compare("texts", self.write("rte.jsonl", lines), *self.MORE, "--task", "rte", "--metrics", "accuracy,rouge1")
        self.assertRegex(texts["test_examples"][0]["source"], r"^rte premise: N\d+\. hypothesis: pub$")
        self.assertEqual({one["references"][0] for one in texts["test_examples"]} - {"entailment", "not_entailment"}, set())

    def test_reports_say_how_files_were_read(self):
        rows = self.write("swapped.csv", "q,a\n" + "".join(f"N{i},pub {i}\n" for i in range(30)))
        test = self.write("fixed.jsonl", "".join(json.dumps({"q": f"T{i}", "a": f"T{i}"}) + "\n" for i in range(3)))  # the same both ways
        for out, fields in (("there", "source=q,target=a"), ("back", "source=a,target=q")):
            self.compare(out, rows, "--test", test, "--fields", fields, *self.MORE)
        run("compare", "--merge", self.folder / "there", self.folder / "back", "--out", self.folder / "merged")
        self.assertEqual([row["row"] for row in self.report("merged")["rows"]],
                         [f"{name} [fields={fields}]" for fields in ("source=q,target=a", "source=a,target=q") for name in ("none", "LoRA")])

    def test_the_generated_data_have_no_form(self):
        self.refuses("generated", *self.MORE, "--format", "csv", says="--format has no effect with the generated data", status=2)


class Classes(Comparison):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bert = cls.folder / "bert"
        cls.words = ["good", "bad", *(f"word{i}" for i in range(12))]
        tiny_model.write_bert(cls.bert, cls.words)
        cls.pairs = [(f"{a} {filler}", f"{b} {filler}") for filler in cls.words[2:] for a in ("good", "bad") for b in ("good", "bad")]
        cls.rows = [(a, b, "entailment" if a == b else "not_entailment") for a, b in cls.pairs]

    def train(self, out, data, *more, epochs=1, rate="0.01"):
        return self.compare(out, data, "--methods", "full", "--epochs", epochs, "--learning-rate", rate, *more, model=self.bert)

    def test_a_task_of_pairs(self):
        """Both texts are read, as classify reads them: the class is in neither alone."""
        data = self.write("rte.tsv", "index\tsentence1\tsentence2\tlabel\n" + "".join(f"{i}\t{a}\t{b}\t{label}\n" for i, (a, b, label) in enumerate(self.rows)))
        report, text, _ = self.train("pairs", data, "--task", "rte", "--rows", "100", "--test-sources", "4", epochs=60, rate="0.003")
        row = report["rows"][1]
        self.assertEqual((row["error"], row["bleu"]), ("", None))
        self.assertLess(row["training_loss"], 0.3)  # the first text alone leaves it at ln 2
        self.assertLessEqual(set(row["outputs"]), {"entailment", "not_entailment"})
        self.assertRegex(report["test_examples"][0]["source"], r"^\w+ word\d+ \| \w+ word\d+$")
        self.assertIn("accuracy", text)
        self.assertEqual(report["data"]["task"], "rte")

    def test_what_classify_reads(self):
        """Rows of equal files are equal rows: the same texts, in columns of another form."""
        rows = [(f"{word} {filler}", label) for filler in self.words[2:] for label, word in enumerate(("bad", "good"))]
        names = ("negative", "positive")
        plain = self.write("plain.tsv", "".join(f"{text}\t{names[label]}\n" for text, label in rows))
        named = self.write("named.csv", "label,sentence\n" + "".join(f"{names[label]},{text}\n" for text, label in rows))
        lines = self.write("lines.jsonl", "".join(json.dumps({"words": text, "mood": names[label]}) + "\n" for text, label in rows))
        numbers = self.write("sst2.tsv", "sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
        first, _, _ = self.train("plain", plain)
        for data, more in ((named, ()), (lines, ("--fields", "text=words,label=mood")), (numbers, ("--task", "sst2"))):
            with self.subTest(data.name):
                report, _, _ = self.train("other", data, *more)
                for one, other in zip(first["rows"], report["rows"]):
                    self.assertEqual([one[key] for key in ("validation_loss", "outputs", "accuracy", "not_applicable")], [other[key] for key in ("validation_loss", "outputs", "accuracy", "not_applicable")])

    def test_a_head_has_all_classes_of_the_task(self):
        """And in the order of their numbers, though the rows have two of three."""
        data = self.write("cb.jsonl", "".join(json.dumps({"premise": a, "hypothesis": b, "label": "neutral" if label == "entailment" else "contradiction"}) + "\n" for a, b, label in self.rows))
        three, _, _ = self.train("three", data, "--task", "cb")
        two, _, _ = self.train("two", data, "--fields", "text=premise,text_pair=hypothesis,label=label")
        self.assertEqual(three["rows"][1]["trainable"] - two["rows"][1]["trainable"], 33)  # a row of the head and its bias

    def test_what_cannot_be_meant(self):
        data = self.write("none.tsv", "index\tsentence1\tsentence2\n" + "".join(f"{i}\t{a}\t{b}\n" for i, (a, b, _) in enumerate(self.rows)))
        options = ("--methods", "full")
        self.refuses(data, *options, "--task", "rte", says=("none.tsv", "has no class", "test file"), model=self.bert)
        self.refuses(data, *options, "--task", "e2e", says="has no classes", model=self.bert)
        self.refuses(data, *options, "--linearize", "tags", says="linearization", model=self.bert)
        self.refuses(data, *options, "--task", "sst2", says=("none.tsv", "sentence"), model=self.bert)
        known = self.write("known.tsv", "text\tlabel\n" + "".join(f"good word{i % 12} {i}\t{'yes' if i % 2 else 'no'}\n" for i in range(30)))
        other = self.write("unknown.tsv", "text\tlabel\ngood word1\tyes\nbad word1\tmaybe\n")
        for option in ("--test", "--validation"):
            self.refuses(known, *options, option, other, says=("unknown.tsv", "line 3", '"maybe"', "expected one that --data has: no, yes"), model=self.bert)
        plain = self.write("some.tsv", "".join(f"good word{i % 12} {i}\t{i % 2}\n" for i in range(30)))
        self.refuses(plain, *options, "--metrics", "chrf", says="--metrics has no effect on a classifier, which has accuracy alone", status=2, model=self.bert)


class Metrics(Comparison):
    NAMES = ("chrf", "ter", "nist", "cider", "rouge1", "bleu")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tests = tuple(word for name in ("first", "second") for word in ("--test", f"{name}=" + str(cls.write(f"{name}.tsv", "".join(f"name : {name} {i}\tN{i} is a {kind}.\n" for i in range(3) for kind in ("pub", "small bar"))))))
        cls.common = ("--methods", "few_shot,lora", "--shots", "2", "--max-new", "12", *cls.tests)

    def test_other_metrics_train_nothing(self):
        first, text, _ = self.compare("scored", self.data, *self.common, "--seeds", "0,1")
        self.assertEqual([one["name"] for one in first["metrics"]], ["bleu", "rouge_l", "accuracy"])
        table = self.folder / "scored.csv"
        second, text, err = self.compare("scored", self.data, *self.common, "--seeds", "0,1", "--metrics", ",".join(self.NAMES), "--csv", table, "--against", "few-shot")
        self.assertEqual(err.count("taken over"), 4)
        self.assertEqual([(one["name"], one["low_is_better"], one["chosen"]) for one in second["metrics"]], [(name, name == "ter", True) for name in self.NAMES] + [("accuracy", False, False)])
        for one, other in zip(first["rows"], second["rows"]):
            self.assertEqual(one["outputs"], other["outputs"])
            self.assertEqual(one["bleu"], other["bleu"])
            self.assertEqual(one["scores"]["first"]["bleu"]["low"], other["scores"]["first"]["bleu"]["low"])
            self.assertNotIn("rouge_l", other)
        self.check_table(text)
        self.check_against_score(second)
        self.check_csv(second, table)
        page = (self.folder / "scored/report.html").read_text(encoding="utf-8")
        for title in ("chrF", "TER", "NIST", "CIDEr", "ROUGE-1", "BLEU"):
            self.assertIn(f"{title} against the number of trained parameters", page)
        self.assertEqual(page.count("<svg"), 2 + len(self.NAMES))
        self.check_merging(first, second)

    def check_table(self, text):
        head = next(line for line in text.split("\n") if line.startswith("strategy"))
        self.assertEqual(head.split()[-12:], [title for title in ("chrF", "TER", "NIST", "CIDEr", "ROUGE-1", "BLEU") for _ in range(2)])

    def check_against_score(self, report):
        """The same numbers as score has of the same texts, on each test set and on both as one."""
        options = ("--metrics", "chrf,ter,nist,cider,rouge,bleu", "--tokenization", "sacrebleu", "--lowercase", "--escapes", "never", "--reference-escapes", "never")
        row = report["rows"][1]
        examples = [(one["test"], one["references"]) for one in report["test_examples"]]
        for sets, key in ((("first",), "first"), (("second",), "second"), (("first", "second"), None)):
            outputs = [output for (name, _), output in zip(examples, row["outputs"]) if name in sets]
            references = [lists for name, lists in examples if name in sets]
            scores = run_json("score", "--hypotheses", self.write("outputs.json", json.dumps(outputs)), "--references", self.write("references.json", json.dumps(references)), *options)
            for name in self.NAMES:
                with self.subTest(name, sets=sets):
                    self.assertAlmostEqual(row[name] if key is None else row["scores"][key][name]["mean"], scores[name])
                    if key:
                        one = row["scores"][key][name]
                        self.assertAlmostEqual(one["low"], scores["intervals"][name][0])
                        self.assertAlmostEqual(one["high"], scores["intervals"][name][1])

    def check_csv(self, report, table):
        with open(table, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        row = report["rows"][2]
        for name in (*self.NAMES, "accuracy"):
            values = [float(line[name]) for line in lines if line["row"] == "LoRA" and line["test"] == "first"]
            score = row["scores"]["first"][name]
            self.assertEqual(len(values), 2)
            self.assertAlmostEqual(statistics.mean(values), score["mean"])
            self.assertAlmostEqual(statistics.stdev(values), score["deviation"])
            self.assertEqual(float(next(line for line in lines if line["row"] == "LoRA")[name + "_low"]), score["low"])
            self.assertAlmostEqual(score["difference"]["mean"], score["mean"] - report["rows"][1]["scores"]["first"][name]["mean"])
        self.assertNotIn("rouge_l", lines[0])

    def check_merging(self, first, second):
        """A merged report has the metrics of its reports, or those that are asked for."""
        merged = self.folder / "merged"
        run("compare", "--merge", self.folder / "scored", "--out", merged, "--against", "few-shot")
        self.assertEqual([row["scores"] for row in self.report("merged")["rows"]], [row["scores"] for row in second["rows"]])
        run("compare", "--merge", self.folder / "scored", "--out", merged, "--metrics", "bleu,rouge_l")
        self.assertEqual([row["rouge_l"] for row in self.report("merged")["rows"]], [row["rouge_l"] for row in first["rows"]])

    def test_what_cannot_be_measured(self):
        for metrics, says in (("sorcery", "sorcery"), ("bleu,bleu", "bleu twice"), ("rouge,rouge2", "rouge2 twice"), ("", "--metrics")):
            with self.subTest(metrics):
                self.refuses(self.data, *self.common, "--metrics", metrics, says=says, status=2)
        self.refuses(self.data, *self.common, "--meteor-data", self.folder, says="--meteor-data has no effect without --metrics meteor", status=2)
        self.refuses(self.data, *self.common, "--metrics", "meteor", "--meteor-data", self.folder, says="english." if self.has_meteor() else "graft::meteor")

    def has_meteor(self):
        """Whether this build has graft::meteor."""
        command = (programs.PATHS["score"], "--hypotheses", self.write("h.txt", "a\n"), "--references", self.write("r.txt", "a\n"), "--metrics", "meteor_exact_stem")
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def test_meteor(self):
        if not self.has_meteor():
            self.skipTest("a build without graft::meteor")
        report, text, _ = self.compare("meteor", self.data, *self.common, "--metrics", "meteor_exact_stem")
        self.assertIn("METEOR (exact, stem)", text)
        self.assertEqual(set(report["rows"][2]["scores"]["first"]), {"meteor_exact_stem", "accuracy"})
        if not os.environ.get("GRAFT_METEOR_DATA"):
            return  # without word lists
        report, _, err = self.compare("meteor", self.data, *self.common, "--metrics", "meteor")
        self.assertEqual(err.count("taken over"), 3)
        row = report["rows"][1]
        for name in ("first", "second"):
            outputs = self.write("meteor.json", json.dumps(row["runs"][0]["outputs"][name]))
            references = self.write("meteor_references.json", json.dumps([one["references"] for one in report["test_examples"] if one["test"] == name]))
            self.assertAlmostEqual(row["scores"][name]["meteor"]["mean"], run_json("score", "--hypotheses", outputs, "--references", references, "--metrics", "meteor", "--escapes", "never", "--reference-escapes", "never")["meteor"])


if __name__ == "__main__":
    programs.main()
