"""finetune, seq2seq and classify read files of every format, by the columns' names, the options or the task."""

import json

import programs
import tiny_model
from programs import ProgramTest, run, run_json

WEBNLG = {"entries": [{str(i + 1): {"category": "Airport", "modifiedtripleset": [{"subject": f"N{i}", "property": "isA", "object": "pub"}],
                                    "lexicalisations": [{"comment": "good" if i % 2 else "toFix", "lang": "en", "lex": f"N{i} is a pub."}]}} for i in range(12)]}
XML = ("<benchmark><entries>" + "".join(f'<entry category="MISC" eid="Id{i}" size="1"><modifiedtripleset><mtriple>N{i} | ISA | pub</mtriple></modifiedtripleset>'
                                        f'<lex comment="e2e" lid="Id1">N{i} is a pub.</lex></entry>' for i in range(12)) + "</entries></benchmark>")


class Texts(ProgramTest):
    def train(self, *arguments):
        return run_json("finetune", "--model", self.model, "--method", "lora", "--steps", 2, "--output", self.folder / "out", *arguments)

    def test_triples(self):
        data = self.write("webnlg.json", json.dumps(WEBNLG))
        plain = self.train("--train", data)
        self.assertEqual(plain["training_examples"], 12)
        self.assertEqual(self.train("--train", data, "--good-texts")["training_examples"], 6)
        self.assertEqual(self.train("--train", data, "--language", "en")["training_loss"], plain["training_loss"])
        self.assertNotEqual(self.train("--train", data, "--linearize", "tags")["training_loss"], plain["training_loss"])
        self.assertEqual(self.train("--train", self.write("dart.xml", XML))["training_examples"], 12)
        split = self.train("--data", data)
        self.assertEqual((split["training_examples"], split["validation_examples"]), (11, 1))
        out = ("--output", self.folder / "none", "--model", self.model, "--method", "lora")
        self.refused("finetune", *out, "--train", self.write("cut.xml", XML[:200]), says=("cut.xml", "line 1", "malformed XML"))
        self.refused("finetune", *out, "--train", self.data, "--linearize", "tags", says=("data.txt", "holds no triples"))

    def test_columns_and_tasks(self):
        rows = self.write("rows.csv", "q,a,n\n" + "".join(f"\"N{i}, a\",pub {i},{i}\n" for i in range(6)))
        lines = self.write("rows.data", "".join(json.dumps({"q": f"N{i}, a", "a": f"pub {i}"}) + "\n" for i in range(6)))
        first = self.train("--train", rows, "--fields", "source=q,target=a,domain=n")
        self.assertEqual(first["training_loss"], self.train("--train", lines, "--fields", "source=q,target=a", "--format", "jsonl")["training_loss"])
        rte = self.write("rte.jsonl", "".join(json.dumps({"premise": f"N{i}.", "hypothesis": "pub", "label": "entailment", "idx": i}) + "\n" for i in range(6)))
        self.assertEqual(self.train("--train", rte, "--task", "rte")["training_examples"], 6)
        out = ("--output", self.folder / "none", "--model", self.model, "--method", "lora")
        self.refused("finetune", *out, "--train", rows, says=("rows.csv", "got the columns q, a, n", "--fields"))
        self.refused("finetune", *out, "--train", rows, "--fields", "source=q,target=x", says=("rows.csv", "line 1", '"x"', "q, a, n"))
        run("finetune", *out, "--train", rows, "--fields", "sauce=q", status=2)
        run("finetune", *out, "--train", rows, "--task", "cola", "--fields", "source=q", status=2)

    def test_pairs(self):
        bart = self.folder / "bart"
        tiny_model.write_bart(bart)
        pairs = self.write("pairs.jsonl", "".join(json.dumps({"source": a, "target": [a.upper(), a]}) + "\n" for a in ("ab", "ba", "aa", "bb")))
        summary = run_json("seq2seq", "--model", bart, "--train", pairs, "--test", pairs, "--method", "lora", "--steps", 2, "--max-new", 4)
        self.assertEqual(summary["test_sources"], 4)


class Classes(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bert = cls.folder / "bert"
        cls.fillers = [f"word{i}" for i in range(12)]
        tiny_model.write_bert(cls.bert, ["good", "bad", *cls.fillers])
        cls.names = ("negative", "positive")
        cls.rows = [(f"{word} {filler}", name) for filler in cls.fillers for name, word in zip(cls.names, ("bad", "good"))]

    def train(self, data, *arguments, epochs=8, rate=0.01):
        return run_json("classify", "--model", self.bert, "--train", data, "--validation", data, "--method", "full", "--epochs", epochs, "--batch", 8, "--learning-rate", rate, *arguments)

    def test_formats_give_the_same_rows(self):
        tsv = self.write("rows.tsv", "sentence\tlabel\n" + "".join(f"{text}\t{self.names.index(name)}\n" for text, name in self.rows))
        csv = self.write("rows.csv", "label,sentence\n" + "".join(f"{name},\"{text}\"\n" for text, name in self.rows))
        lines = self.write("rows.jsonl", "".join(json.dumps({"sentence": text, "label": name == "positive", "x": {"y": name}}) + "\n" for text, name in self.rows))
        first = self.train(tsv)
        self.assertEqual((first["validation_accuracy"], first["training_rows"]), (1, 24))
        for data, options in ((tsv, ("--task", "sst2")), (csv, ()), (csv, ("--fields", "text=sentence,label=label")), (lines, ("--fields", "text=sentence,label=x.y"))):
            self.assertEqual(self.train(data, *options)["validation_loss"], first["validation_loss"], options)

    def test_names_come_back_from_the_folder(self):
        data = self.write("names.tsv", "".join(f"{text}\t{name}\n" for text, name in self.rows))
        self.train(data, "--output", self.folder / "named")
        predicted = self.folder / "predicted.txt"
        unlabelled = self.write("test.tsv", "index\tsentence\n" + "".join(f"{i}\t{text}\n" for i, (text, _) in enumerate(self.rows)))
        options = ("classify", "--model", self.bert, "--adapter", self.folder / "named", "--test")
        summary = run_json(*options, unlabelled, "--task", "sst2", "--predictions", predicted)
        self.assertEqual(predicted.read_text().split("\n")[:2], ["negative", "positive"])
        self.assertNotIn("test_accuracy", summary)
        self.assertEqual(run_json(*options, data)["test_accuracy"], 1)
        self.refused(*options, unlabelled, "--task", "sst2", says=("test.tsv", "line 2", "has no class"))
        self.refused(*options, self.write("other.tsv", "good\tmaybe\n"), says=("other.tsv", "line 1", "'maybe'", "negative, positive"))
        self.refused(*options, data, "--task", "rte", says=("no column", "sentence1"))

    def test_pairs_of_a_task(self):
        rows = [("good", "good"), ("bad", "good"), ("bad", "bad"), ("good", "bad")] * 4
        data = self.write("rte.tsv", "index\tsentence1\tsentence2\tlabel\n" + "".join(f"{i}\t{a}\t{b}\t{'entailment' if a == b else 'not_entailment'}\n" for i, (a, b) in enumerate(rows)))
        summary = self.train(data, "--task", "rte", epochs=60, rate=0.003)
        self.assertEqual((summary["training_rows"], summary["validation_accuracy"]), (16, 1))

    def test_what_cannot_be_learned(self):
        for text, says in (("good\tyes\n", ("line 1", "'yes'", "no row has another")), ("text\tlabel\ngood\tyes\nbad\tno\n", None), ("a\tlabel\ngood\tyes\nbad\tno\n", ("line 1", "'label'", "--header")),
                           ("good\t1\nbad\tno\n", ("line 2", "'no'", "a number"))):
            data = self.write("odd.tsv", text)
            arguments = ("classify", "--model", self.bert, "--train", data, "--method", "head", "--steps", 1)
            if says is None:
                run(*arguments)
            else:
                self.refused(*arguments, says=says)
        run("classify", "--model", self.bert, "--train", data, "--method", "head", "--task", "stsb", status=2)


if __name__ == "__main__":
    programs.main()
