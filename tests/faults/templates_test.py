"""One template for all programs: what stands around source and target."""

import json

import faults
import tiny_model
from faults import FaultTest, run, run_json
from templates import BEGIN, END, LlamaTest, lines_of, set_template, template_of, written


class EncoderDecoders(FaultTest):
    def test_what_seq2seq_trains_generate_reads(self):  # b01
        b01 = self.report("b01")
        model, pairs, adapter = b01 / "model", b01 / "pairs.tsv", self.folder / "a"
        train = ("--model", model, "--train", pairs, "--method", "lora", "--targets", "q,k,v,o,wi,wo", "--rank", "16", "--epochs", "400", "--batch", "3", "--learning-rate", "0.01")
        done = run_json("seq2seq", *train, "--test", pairs, "--max-new", "12", "--output", adapter, "--predictions", self.folder / "p")
        self.assertEqual(done["exact_match"], 1.0)
        targets = ["first", "second", "third"]
        self.assertEqual(lines_of((self.folder / "p").read_text()), targets)
        for options in ((), ("--separator", "")):
            out, err = run("generate", "--model", model, "--adapter", adapter, "--sources", b01 / "sources.txt", "--max-new", "12", *options)
            self.assertEqual(lines_of(out), targets)
            self.assertEqual(err, "")
        self.assertEqual(template_of(adapter), {"version": 2, "kind": "pair", "separator": "", "target_prefix": "", "special_tokens": True, "begin_token": False, "max_source": 0})

    def test_what_finetune_trains_seq2seq_reads(self):
        b01 = self.report("b01")
        model, pairs, adapter = b01 / "model", b01 / "pairs.tsv", self.folder / "a"
        for separator in ((), ("--separator", " =>")):
            run("finetune", "--model", model, "--train", pairs, "--method", "lora", "--targets", "q,k,v,o,wi,wo", "--rank", "16", "--epochs", "400", "--batch", "3", "--learning-rate", "0.01", "--output", adapter, *separator)
            self.assertEqual(run_json("seq2seq", "--model", model, "--adapter", adapter, "--test", pairs, "--max-new", "12")["exact_match"], 1.0)
        self.assertEqual(template_of(adapter)["separator"], " =>")

    def test_the_bare_model_as_transformers(self):
        b01 = self.report("b01")
        # recorded: transformers 5.23, T5ForConditionalGeneration.generate(tokenizer("a cat"), max_new_tokens=10, do_sample=False)
        (one,) = written("--model", b01 / "model", "--prompt", "a cat", "--max-new", "10")
        self.assertEqual(one["text"], ".^VLR..R.R")
        self.same_as_seq2seq(b01 / "model", b01 / "pairs.tsv")

    def test_bart(self):
        b15 = self.report("b15")
        self.same_as_seq2seq(b15 / "model", b15 / "pairs.tsv")

    def test_characters(self):
        """A model whose configuration lists characters: no program needs a tokenizer."""
        model, pairs, adapter = self.folder / "model", self.folder / "pairs.tsv", self.folder / "a"
        tiny_model.write_bart(model)
        pairs.write_text("ab\tba\nxyz\tzyx\n")
        self.same_as_seq2seq(model, pairs)
        run("finetune", "--model", model, "--train", pairs, "--method", "full", "--learning-rate", "0.01", "--epochs", "60", "--batch", "2", "--output", adapter)
        self.assertEqual(template_of(adapter), {"version": 2, "kind": "characters", "max_source": 0})
        self.same_as_seq2seq(model, pairs, "--adapter", adapter)
        self.assertEqual(run_json("seq2seq", "--model", model, "--adapter", adapter, "--test", pairs, "--max-new", "12")["exact_match"], 1.0)
        self.refused("generate", "--model", model, "--prompt", "ab", "--separator", " ->", says=("--separator", "lists the characters"))
        self.refused("finetune", "--model", model, "--train", pairs, "--method", "full", "--begin-token", "--output", adapter, says=("--begin-token", "lists the characters"))

    def same_as_seq2seq(self, model, pairs, *adapter):
        sources = self.folder / "same.txt"
        sources.write_text("".join(line.split("\t")[0] + "\n" for line in pairs.read_text().splitlines()))
        run("seq2seq", "--model", model, "--test", pairs, "--max-new", "10", "--predictions", self.folder / "same", *adapter)
        run("generate", "--model", model, "--sources", sources, "--max-new", "10", "--output", self.folder / "generated", *adapter)
        self.assertEqual((self.folder / "generated").read_bytes(), (self.folder / "same").read_bytes())


class Decoders(LlamaTest):
    """With and without special tokens of the tokenizer's own."""

    def train(self, output, *options):
        super().train(output, "--learning-rate", "0.05", *options)

    def text(self, *arguments, prompt="a"):
        return [(one["text"], one["score"]) for one in written("--model", self.model, "--prompt", prompt, "--max-new", "6", *arguments)]

    def test_the_tokenizers_beginning_token_comes_first_and_once(self):
        bare = self.text(prompt="!a".replace("!", "")), self.text("--begin-token")
        self.assertEqual(bare[0], self.text())
        set_template(self.model, before=[BEGIN])
        with_template = self.text()
        self.assertNotEqual(with_template, bare[0])
        self.assertEqual(with_template, self.text("--begin-token"))
        self.train(self.folder / "a")
        saved = template_of(self.folder / "a")
        self.assertEqual((saved["special_tokens"], saved["begin_token"], saved["separator"]), (True, False, " ->"))

    def test_behind_a_prompt_stands_nothing(self):
        set_template(self.model, before=[BEGIN])
        before = self.text()
        set_template(self.model, before=[BEGIN], behind=[END])
        self.assertEqual(before, self.text())
        self.assertIn("left out behind a source", run("generate", "--model", self.model, "--prompt", "a", "--max-new", "2")[1])

    def test_no_separator_is_invented(self):
        sources = self.folder / "sources.txt"
        sources.write_text("a\n")
        score = lambda *arguments: [one["score"] for one in written("--model", self.model, "--max-new", "6", *arguments)]
        self.assertEqual(score("--sources", sources), score("--prompt", "a"))
        self.assertEqual(score("--sources", sources, "--separator", " ->"), score("--prompt", "a ->"))

    def test_an_option_that_differs_is_said(self):
        self.train(self.folder / "a", "--separator", " =>")
        err = run("generate", "--model", self.model, "--adapter", self.folder / "a", "--prompt", "a", "--separator", " ->", "--max-new", "2")[1]
        self.assertIn('says that training had the separator " =>"; got " ->" as an option', err)
        self.assertEqual(run("generate", "--model", self.model, "--adapter", self.folder / "a", "--prompt", "a", "--separator", " =>", "--max-new", "2")[1], "")

    def test_the_longest_source_is_kept(self):
        self.train(self.folder / "a", "--max-source", "4")
        self.assertEqual(template_of(self.folder / "a")["max_source"], 4)
        adapter = ("--adapter", self.folder / "a")
        self.assertEqual(self.text(*adapter, prompt="abcdefgh"), self.text(*adapter, "--max-source", "4", prompt="abcdefgh"))
        self.assertNotEqual(self.text(*adapter, prompt="abcdefgh"), self.text(*adapter, "--max-source", "0", prompt="abcdefgh"))

    def test_files_of_the_first_version_are_read_as_they_were_meant(self):
        self.train(self.folder / "a")
        set_template(self.model, before=[BEGIN])
        (self.folder / "a/graft_template.json").write_text('{"separator": " =>", "target_prefix": " ", "begin_token": false}')
        with_file = self.text("--adapter", self.folder / "a")
        (self.folder / "a/graft_template.json").write_text('{"separator": " =>", "target_prefix": " ", "begin_token": true}')
        self.assertNotEqual(with_file, self.text("--adapter", self.folder / "a"))

    def test_files_that_are_not_understood_are_refused(self):
        self.train(self.folder / "a")
        whole = template_of(self.folder / "a")
        for changes, says in (({"version": 3}, "has the version 3"), ({"version": "2"}, "wrong value at the key \"version\""), ({"kind": "pair"}, "another kind of model"),
                              ({"kind": "poem"}, "has the kind \"poem\""), ({"seperator": " =>"}, "unknown key \"seperator\""), ({"separator": 3}, "wrong value at the key \"separator\""),
                              ({"max_source": -1}, "max_source -1"), ({"special_tokens": 1}, "wrong value at the key \"special_tokens\""), ({"separator": None}, "key \"separator\"")):
            with self.subTest(changes):
                (self.folder / "a/graft_template.json").write_text(json.dumps({**whole, **changes}))
                err = self.refused("generate", "--model", self.model, "--adapter", self.folder / "a", "--prompt", "a", says=("graft_template.json", says))
                self.assertEqual(err.count("\n"), 1)
        for text in ("", "{", "[]", "{\"version\": 2}", "{\"version\": 2, \"version\": 1}", "\0"):
            with self.subTest(text):
                (self.folder / "a/graft_template.json").write_text(text)
                self.refused("generate", "--model", self.model, "--adapter", self.folder / "a", "--prompt", "a", says="graft_template.json")
        (self.folder / "a/graft_template.json").unlink()
        (self.folder / "a/graft_template.json").symlink_to("nowhere")
        self.refused("generate", "--model", self.model, "--adapter", self.folder / "a", "--prompt", "a", says="graft_template.json")

    def test_a_classifiers_template(self):
        model, data, adapter = self.folder / "bert", self.folder / "classes.tsv", self.folder / "a"
        tiny_model.write_bert(model, ["a", "b", "c"])
        data.write_text("a\tb c\t0\nb\tc a\t1\n")
        common = ("--model", model, "--label-column", "3", "--text-columns", "1,2")
        run("classify", *common, "--train", data, "--method", "head", "--epochs", "1", "--max-length", "5", "--output", adapter)
        self.assertEqual(template_of(adapter), {"version": 2, "kind": "classes", "texts": 2, "max_length": 5})
        test = (*common, "--adapter", adapter, "--test", data)
        self.assertEqual(run_json("classify", *test)["cut_tokens"], 2)
        out, err = run("classify", *test, "--max-length", "9", "--json")
        self.assertEqual(json.loads(out)["cut_tokens"], 0)
        self.assertIn("rows of at most 5 tokens; got 9", err)
        err = run("classify", "--model", model, "--label-column", "3", "--text-columns", "1", "--adapter", adapter, "--test", data)[1]
        self.assertIn("2 texts a row; got 1 columns", err)
        self.refused("generate", "--model", self.model, "--adapter", adapter, "--prompt", "a", says="")
        self.refused("finetune", "--model", model, "--train", self.data, "--method", "lora", "--output", self.folder / "no", says="hint: the program classify")


class WithoutEndToken(LlamaTest):
    """A tokenizer that names no end token: nothing can be trained with it, and texts are written all the same."""

    def setUp(self):
        super().setUp()
        (self.model / "tokenizer_config.json").write_text("{}")
        self.config = json.loads((self.model / "config.json").read_text())
        self.end = self.config.pop("eos_token_id")
        (self.model / "config.json").write_text(json.dumps(self.config))

    def test_generate_ends_with_the_models_end_or_at_the_limit(self):
        (one,) = written("--model", self.model, "--prompt", "a", "--max-new", "5")
        self.assertEqual((one["tokens"], one["finished"]), (5, False))
        (self.model / "generation_config.json").write_text(json.dumps({"eos_token_id": [self.end, *range(self.end)]}))
        (one,) = written("--model", self.model, "--prompt", "a", "--max-new", "5")
        self.assertEqual((one["tokens"], one["finished"]), (1, True))
        run("generate", "--model", self.model, "--prompt", "a", "--max-new", "5")
        sources = self.folder / "sources.txt"
        sources.write_text("a\nb\n")
        self.assertEqual(run("generate", "--model", self.model, "--sources", sources, "--max-new", "3")[0].count("\n"), 2)

    def test_training_wants_one(self):
        data = self.folder / "several.txt"
        data.write_text("".join(f"{a} {b}||{a}\n" for a in "abcd" for b in "abcd"))
        for program, *data in (("finetune", "--train", data, "--output", self.folder / "a"), ("compare", "--data", data, "--out", self.folder / "rows")):
            self.refused(program, "--model", self.model, *data, says="the tokenizer has no end token")


if __name__ == "__main__":
    faults.main()
