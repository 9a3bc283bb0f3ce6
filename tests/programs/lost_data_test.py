"""What cannot be read whole, or means two things at once, is refused: no part of a file is dropped in silence."""

import gzip
import json
import struct
import subprocess

import programs
import tiny_model
from programs import ProgramTest, run, run_json

ENTRY = ('<benchmark><entries><entry category="MISC" eid="Id1" size="1"><modifiedtripleset><mtriple>{}</mtriple></modifiedtripleset>{}</entry></entries></benchmark>')
TRIPLE = "N | ISA | pub"


def dart(*triple):
    return json.dumps([{"tripleset": [list(triple)], "annotations": [{"source": "x", "text": "N is a pub."}]}])


class Readers(ProgramTest):
    def refuses(self, name, text, *more, says):
        self.refused("finetune", "--model", self.model, "--method", "lora", "--output", self.folder / "none", "--train", self.write(name, text), *more, says=(name, *((says,) if isinstance(says, str) else says)))

    def loss(self, name, text, *more):
        return run_json("finetune", "--model", self.model, "--method", "lora", "--steps", 1, "--output", self.folder / "out", "--train", self.write(name, text), *more)["training_loss"]

    def test_columns_of_one_name(self):
        for name, separator in (("twice.csv", ","), ("twice.tsv", "\t")):
            text = "source,target,target,n,n\na,b,c,1,2\n".replace(",", separator)
            self.refuses(name, text, says=('several columns "target"', "expected one"))
            self.refuses(name, text, "--fields", "source=source,target=n", says='several columns "n"')
            self.loss(name, "source,target,n,n\na,b,1,2\n".replace(",", separator))  # n is not read

    def test_a_column_that_is_asked_for_twice(self):
        """It was empty the second time: a source that is its own domain, id or target."""
        plain = self.loss("copy.csv", "source,target\nab,ab\ncd,cd\n")
        self.assertEqual(self.loss("one.csv", "source\nab\ncd\n", "--fields", "source=source,target=source"), plain)
        self.assertEqual(self.loss("one.csv", "source\nab\ncd\n", "--fields", "id=source,domain=source,source=source,target=source"), plain)

    def test_a_column_without_a_name(self):
        """As tables are often saved, with the rows' numbers first: they are no entries' names."""
        bart = self.folder / "bart"
        tiny_model.write_bart(bart)
        for name, text in (("rows.csv", ",source,target\n0,ab,x\n1,ab,y\n2,ba,z\n"), ("rows.tsv", "\tsource\ttarget\t\n0\tab\tx\t1\n1\tab\ty\t1\n2\tba\tz\t1\n"),
                           ("rows.jsonl", "".join(json.dumps({"": i, "source": source, "target": "x"}) + "\n" for i, source in enumerate(("ab", "ab", "ba"))))):
            with self.subTest(name):
                data = self.write(name, text)
                self.assertEqual(run_json("seq2seq", "--model", bart, "--train", data, "--test", data, "--method", "lora", "--steps", 1, "--max-new", 1)["test_sources"], 2)

    def test_a_name_twice_in_one_object(self):
        self.refuses("twice.jsonl", '{"source": "a", "target": "b"}\n{"source": "a", "source": "z", "target": "b"}\n', says=("line 2", 'two fields "source"'))
        self.refuses("twice.json", '[{"source": "a", "target": "b", "x": {"y": 1, "y": 2}}]', says=("line 1", 'two fields "y"'))
        self.loss("nested.jsonl", '{"source": "a", "target": "b", "x": {"source": 1}, "y": [{"z": 1}, {"z": 2}]}\n')

    def test_numbers_whose_digits_are_not_kept(self):
        self.refuses("long.jsonl", '{"source": 123456789012345678901234567890, "target": "b"}\n', says=("line 1", '"source"', "digits"))
        self.loss("long.jsonl", '{"source": 1234567890123456789, "target": 0.5}\n')

    def test_triples_with_nothing_in_a_place(self):
        self.refuses("null.json", dart("N", "ISA", None), says=("malformed triple", "null"))
        self.refuses("null.json", json.dumps({"entries": [{"1": {"category": "A", "modifiedtripleset": [{"subject": None, "property": "p", "object": "o"}], "lexicalisations": [{"lex": "t"}]}}]}), says=("malformed triple", "subject"))
        self.loss("number.json", dart("N", "ISA", 3))

    def test_markup_within_texts(self):
        for lex in ("<lex>N is <b>a</b> pub.</lex>", "<lex><b>N</b> is a pub.</lex>", "<lex><text>N is a <b>pub</b>.</text></lex>", "<lex>N is <text>a pub.</text></lex>", "<lex><text>N is a pub.</text> Or so.</lex>",
                    "<lex><text>N is a pub.</text><text>N.</text></lex>"):
            with self.subTest(lex):
                self.refuses("markup.xml", ENTRY.format(TRIPLE, lex), says="line 1")
        self.refuses("markup.xml", ENTRY.format("N | ISA | pub <b/> bar", "<lex>N is a pub.</lex>"), says="within a triple")
        plain = self.loss("plain.xml", ENTRY.format(TRIPLE, "<lex>N is a pub.</lex>"))
        enriched = "<lex><sortedtripleset><sentence ID='1'><striple>N | ISA | pub</striple> and </sentence></sortedtripleset><references>\n<reference tag='A'>N</reference></references><text>N is a pub.</text><template>A is <b>a</b> pub.</template></lex>"
        self.assertEqual(self.loss("enriched.xml", ENTRY.format(TRIPLE, enriched)), plain)

    def test_spans_beyond_all_numbers(self):
        bert = self.folder / "bert"
        tiny_model.write_bert(bert, ["bob", "saw", "al"])
        most = 2**64 - 1
        for start, end in ((0, most), (most, most), (0, 3), (-1, 0), (2, 1)):
            text = json.dumps({"passage": {"text": "Bob", "entities": [{"start": start, "end": end}]}, "qas": [{"query": "@placeholder saw", "answers": [{"text": "Bob"}]}]})
            self.refused("classify", "--model", bert, "--task", "record", "--method", "head", "--steps", 1, "--train", self.write("record.jsonl", text), says=("record.jsonl", "line 1", "entity outside"))


class Meteor(ProgramTest):
    WHOLE = {"english.prefixes": b"# short forms\nMr\n", "english.words": b"the\na\n", "english.synsets": b"dog\n1 2\nhound\n2\n", "english.exceptions": b"go\nwent\n", "paraphrase-en.gz": gzip.compress(b"0.5\na pub\na bar\n")}

    def arguments(self, **changed):
        data = self.folder / "meteor"
        data.mkdir(exist_ok=True)
        for name, content in {**self.WHOLE, **changed}.items():
            (data / name).write_bytes(content)
        text = self.write("said.txt", "the hound went\n")
        return ("score", "--metrics", "meteor", "--resamples", 0, "--meteor-data", data, "--hypotheses", text, "--references", self.write("meant.txt", "the dog went\n"))

    def test_lists_that_are_cut_off(self):
        command = self.arguments()
        if "graft::meteor" in subprocess.run([programs.PATHS["score"], *map(str, command[1:])], capture_output=True, text=True, encoding="utf-8").stderr:
            self.skipTest("a build without graft::meteor")
        run(*command)
        for name in self.WHOLE:
            for content in (b"", b"\n") if name != "paraphrase-en.gz" else (b"", gzip.compress(b"")):
                with self.subTest(name, content=content):
                    self.refused(*self.arguments(**{name: content}), says=(name, "is empty"))
            if name != "paraphrase-en.gz":
                with self.subTest(name):
                    self.refused(*self.arguments(**{name: self.WHOLE[name][:-1]}), says=(name, "cut off"))


class Reports(ProgramTest):
    def test_explanations_of_numbers_that_are_none(self):
        """With --target nothing is generated, which would have said it."""
        folder, page = self.folder / "huge", self.folder / "page.html"
        run("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", folder)
        weights = folder / "adapter_model.safetensors"
        content = weights.read_bytes()
        start = 8 + struct.unpack("<Q", content[:8])[0]
        weights.write_bytes(content[:start] + struct.pack("<f", 1e38) * ((len(content) - start) // 4))
        self.refused("explain", "--model", self.model, "--adapter", folder, "--source", "N", "--target", "a pub", "--output", page, says=("huge", "not finite"))
        self.assertFalse(page.exists())

    def test_a_report_without_its_files(self):
        out = self.folder / "compared"
        run("compare", "--model", self.model, "--data", self.data, "--methods", "none", "--validation-rows", 1, "--test-sources", 1, "--max-new", 1, "--out", out)
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        for value in ([], "x", 3):
            report["studies"][0]["files"] = value
            (out / "report.json").write_text(json.dumps(report), encoding="utf-8")
            self.refused("compare", "--merge", out, "--out", self.folder / "merged", says=("report.json", '"files"'))


if __name__ == "__main__":
    programs.main()
