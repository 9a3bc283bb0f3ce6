"""One template for all programs: what stands around source and target, where it is kept, and one line a text whatever it holds."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import faults
import programs
import tiny_model
from faults import FaultTest, run, run_json

END, BEGIN = "<|end|>", "<|begin|>"


def lines_of(text):
    return text.removesuffix("\n").split("\n")


def unescaped(line):
    """What docs/programs.md says of a line of outputs."""
    text, rest = "", line
    while rest:
        at = rest.find("\\")
        if at < 0:
            return text + rest
        text, kind = text + rest[:at], rest[at + 1]
        length = 6 if kind == "u" else 2
        text += {"n": "\n", "r": "\r", "\\": "\\"}.get(kind) or chr(int(rest[at + 2:at + 6], 16))
        rest = rest[at + length:]
    return text


def written(*arguments):
    """The objects that generate prints."""
    return [json.loads(line) for line in run("generate", *arguments, "--json")[0].rstrip("\n").split("\n")]


def template_of(folder):
    return json.loads((folder / "graft_template.json").read_text())


def set_template(model, before=(), behind=()):
    """Gives a tiny model's tokenizer special tokens around a text; a beginning token is added where it is named."""
    path = model / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    ids = {END: tokenizer["model"]["vocab"][END], BEGIN: 0}  # the byte "!" serves as the beginning token
    tokenizer["added_tokens"] = [one for one in tokenizer["added_tokens"] if one["id"] != 0]
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": 0, "content": "!"})
    piece = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    single = [*map(piece, before), {"Sequence": {"id": "A", "type_id": 0}}, *map(piece, behind)]
    tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": single, "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
                                   "special_tokens": {name: {"id": name, "ids": [id], "tokens": [name]} for name, id in ids.items()}}
    path.write_text(json.dumps(tokenizer))
    (model / "tokenizer_config.json").write_text(json.dumps({"eos_token": END, "bos_token": "!"}))


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


class LlamaTest(FaultTest):
    """A LLaMA of random weights and two examples to train it on."""

    def setUp(self):
        super().setUp()
        self.model, self.data = self.folder / "model", self.folder / "data.txt"
        tiny_model.write_llama(self.model)
        self.data.write_text("a || b\nc || d\n")

    def train(self, output, *options):
        run("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", "1", "--output", output, *options)


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


class Folders(LlamaTest):
    def test_peft_adapters_into_an_old_folder(self):  # b17
        b17 = self.report("b17")
        model, out = b17 / "model", self.folder / "out"
        run("finetune", "--model", model, "--train", b17 / "train.tsv", "--method", "lora", "--separator", " => ", "--steps", "1", "--output", out)
        (out / "README.md").write_text("mine")
        (out / "adapter_model.bin").write_text("of another format")
        run("convert", "--adapter", b17 / "peft_adapter", "--model", model, "--output", out)
        for adapter in (b17 / "peft_adapter", out):
            self.assertEqual(written("--model", model, "--adapter", adapter, "--prompt", "pig", "--max-new", "5")[0]["text"], "QQQQH")
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["README.md", "adapter_config.json", "adapter_model.safetensors"])

    def test_the_template_goes_with_the_adapter(self):
        self.train(self.folder / "a", "--separator", " =>")
        for options in (("--format", "graft"), ("--format", "peft")):
            run("convert", "--adapter", self.folder / "a", "--model", self.model, "--output", self.folder / "b", *options)
            self.assertEqual(template_of(self.folder / "b"), template_of(self.folder / "a"))
        self.train(self.folder / "c")
        err = run("convert", "--combine", f"{self.folder / 'a'}:0.5", f"{self.folder / 'c'}:0.5", "--model", self.model, "--output", self.folder / "both")[1]
        self.assertIn("another template", err)
        self.assertEqual(template_of(self.folder / "both")["separator"], " =>")

    def test_a_merged_model_keeps_the_template_and_nothing_old(self):
        self.train(self.folder / "a", "--separator", " =>")
        merged = self.folder / "merged"
        self.train(merged)  # an adapter that would be put on the merged model
        for name in ("model-00001-of-00002.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "generation_config.json", "merges.txt", "README.md"):
            (merged / name).write_text("old")
        run("convert", "--adapter", self.folder / "a", "--model", self.model, "--merge", "--output", merged)
        self.assertEqual(sorted(path.name for path in merged.iterdir()),
                         ["README.md", "config.json", "graft_template.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
        one, other = (written(*model, "--prompt", "a", "--max-new", "6")[0] for model in (("--model", self.model, "--adapter", self.folder / "a"), ("--model", merged)))
        self.assertEqual(one["text"], other["text"])
        self.assertAlmostEqual(one["score"], other["score"], places=4)
        out, err = run("convert", "--adapter", self.folder / "a", "--model", self.model, "--merge", "--output", self.folder / "a", status=2)
        self.assertIn("--output is the adapter itself", err)
        self.assertTrue((self.folder / "a/adapter_config.json").exists())

    def test_files_of_a_tokenizer_that_nobody_reads_are_said(self):
        adapter = self.folder / "a"
        self.train(adapter)
        uses = (("generate", "--model", self.model, "--adapter", adapter, "--prompt", "a", "--max-new", "2"), ("convert", "--model", self.model, "--adapter", adapter, "--output", self.folder / "b"))
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (adapter / name).write_bytes((self.model / name).read_bytes())  # as PEFT's users save them
        for use in uses:
            self.assertNotIn("are not read", run(*use)[1])
        (adapter / "tokenizer_config.json").write_text(json.dumps({**json.loads((self.model / "tokenizer_config.json").read_text()), "eos_token": "a"}))
        (adapter / "generation_config.json").write_text('{"num_beams": 3}')
        for use in uses:
            err = run(*use)[1]
            self.assertEqual(err.count("are not read: tokenizer_config.json, generation_config.json; "), 1, err)

    def test_an_adapter_that_does_not_say_is_said(self):
        run("finetune", "--model", self.model, "--train", self.data, "--method", "infix", "--steps", "1", "--output", self.folder / "a")
        (self.folder / "a/graft_template.json").unlink()
        self.assertIn("does not say what stood around its texts", run("generate", "--model", self.model, "--adapter", self.folder / "a", "--prompt", "a", "--max-new", "2")[1])

    def test_killed_at_any_call_the_template_is_the_adapters(self):  # a4
        library = os.environ.get("GRAFT_KILL_LIBRARY") or self.compile()
        if not library:
            self.skipTest("no library to preload")
        self.train(self.folder / "old")
        self.train(self.folder / "new", "--separator", " =>", "--seed", "1")
        files = lambda folder: {path.name: path.read_bytes() for path in folder.iterdir()}
        old, new, place = files(self.folder / "old"), files(self.folder / "new"), self.folder / "place"
        self.assertNotEqual(old["graft_template.json"], new["graft_template.json"])
        self.assertNotEqual(old["adapter_model.safetensors"], new["adapter_model.safetensors"])
        seen = []
        for call in range(1, 400):
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.folder / "old", place / "adapter")
            environment = {**os.environ, "GRAFT_NUM_THREADS": "1", "LD_PRELOAD": str(library), "GRAFT_CALLS_UNDER": str(place), "GRAFT_KILL_AT": str(call), "ASAN_OPTIONS": "verify_asan_link_order=0"}
            done = subprocess.run([programs.PATHS["convert"], "--adapter", self.folder / "new", "--model", self.model, "--output", place / "adapter"], capture_output=True, text=True, env=environment, timeout=60)
            now = files(place / "adapter")
            if done.returncode == 0:
                break
            self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
            self.assertIn(now, (old, new), f"call {call}")
            seen.append(now == new)
        self.assertEqual(now, new)
        self.assertGreater(len(seen), 10)
        self.assertIn(False, seen)

    def compile(self):
        library, source = self.folder / "kill_at_call.so", pathlib.Path(__file__).with_name("kill_at_call.cpp")
        try:
            done = subprocess.run(["c++", "-std=c++20", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], capture_output=True)
        except FileNotFoundError:
            return None
        return library if done.returncode == 0 else None


class Overridden(LlamaTest):
    """An option that differs from what is kept is said in the same word by every program."""

    SAID = "says that training had"

    def generate(self, *arguments):
        return run("generate", "--prompt", "a", "--max-new", "2", *arguments)[1]

    def test_a_beginning_token(self):
        self.train(self.folder / "a")
        self.assertIn(f"{self.SAID} no beginning token; got one as an option", self.generate("--model", self.model, "--adapter", self.folder / "a", "--begin-token"))
        self.assertEqual(self.generate("--model", self.model, "--begin-token"), "")
        self.train(self.folder / "b", "--begin-token")
        self.assertEqual(self.generate("--model", self.model, "--adapter", self.folder / "b", "--begin-token"), "")
        set_template(self.model, before=[BEGIN])  # where the files put it there, the option changes nothing
        self.train(self.folder / "c")
        self.assertEqual(self.generate("--model", self.model, "--adapter", self.folder / "c", "--begin-token"), "")

    def test_over_a_merged_model(self):
        self.train(self.folder / "a", "--separator", " =>", "--max-source", "9")
        merged = self.folder / "merged"
        run("convert", "--adapter", self.folder / "a", "--model", self.model, "--merge", "--output", merged)
        data = self.folder / "data.txt"
        data.write_text("".join(f"n {i} || N{i}.\n" for i in range(12)))
        finetune = ("finetune", "--model", merged, "--train", data, "--method", "lora", "--steps", "1", "--output", self.folder / "b")
        compare = ("compare", "--model", merged, "--data", data, "--rows", "8", "--validation-rows", "1", "--test-sources", "1", "--methods", "lora", "--steps", "1", "--max-new", "2", "--out", self.folder / "rows")
        for options, says in (((), None), (("--separator", " =>", "--max-source", "9"), None), (("--separator", " ->"), 'the separator " =>"; got " ->"'), (("--begin-token",), "no beginning token; got one"), (("--max-source", "7"), "sources of at most 9 tokens; got at most 7 tokens"),
                              (("--max-source", "0"), "sources of at most 9 tokens; got any length")):
            with self.subTest(options):
                errors = [run(*finetune, *options)[1], self.generate("--model", merged, *options)]
                if "--begin-token" not in options:
                    errors.append(run(*compare, *options)[1])
                for err in errors:
                    self.assertEqual(err.count(self.SAID), 0 if says is None else 1, err)
                    self.assertIn(f"{self.SAID} {says}" if says else "", err)
        run(*finetune, "--recipe", "xsum")
        run(*finetune)
        self.assertEqual((template_of(self.folder / "b")["separator"], template_of(self.folder / "b")["max_source"]), (" =>", 9))

    def test_compare_takes_the_kept_length(self):
        data = self.folder / "data.txt"
        data.write_text("".join(f"{'n' * 30} {i} || N{i}.\n" for i in range(12)))
        run("finetune", "--model", self.model, "--train", data, "--method", "lora", "--steps", "1", "--max-source", "9", "--output", self.folder / "a")
        run("convert", "--adapter", self.folder / "a", "--model", self.model, "--merge", "--output", self.folder / "merged")
        cut = lambda *options: {row["method"]: row["cut_sources"] for row in run_json("compare", "--model", self.folder / "merged", "--data", data, "--rows", "8", "--validation-rows", "1", "--test-sources", "1", "--methods", "lora", "--steps", "1",
                                                                                     "--max-new", "2", "--out", self.folder / "rows", *options)["rows"]}["lora"]
        self.assertGreater(cut(), 0)
        self.assertEqual(cut("--max-source", "0"), 0)

    def test_classifiers(self):
        bert, data = self.folder / "bert", self.folder / "classes.tsv"
        tiny_model.write_bert(bert, ["good", "bad"])
        data.write_text("good\t1\nbad\t0\n")
        classify = ("classify", "--train", data, "--method", "full", "--steps", "1")
        run(*classify, "--model", bert, "--max-length", "9", "--output", self.folder / "a")
        run("convert", "--adapter", self.folder / "a", "--model", bert, "--merge", "--output", self.folder / "merged")
        kept = run(*classify, "--model", self.folder / "merged", "--output", self.folder / "b")[1]
        self.assertNotIn(self.SAID, kept)
        self.assertIn(f"{self.SAID} rows of at most 9 tokens; got 5 as an option", run(*classify, "--model", self.folder / "merged", "--max-length", "5", "--output", self.folder / "b")[1])


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


class Lines(FaultTest):
    def test_predictions_are_one_line_each(self):  # b15
        b15 = self.report("b15")
        model, pairs, out = b15 / "model", b15 / "pairs.tsv", self.folder / "out"
        run("seq2seq", "--model", model, "--test", pairs, "--max-new", "10", "--predictions", out)
        lines = lines_of(out.read_bytes().decode())
        self.assertEqual(len(lines), 3)
        self.assertEqual(len(out.read_text(encoding="utf-8").splitlines()), 3)
        sources = self.folder / "sources.txt"
        sources.write_text("".join(line.split("\t")[0] + "\n" for line in pairs.read_text().splitlines()))
        texts = [one["text"] for one in written("--model", model, "--sources", sources, "--max-new", "10")]
        self.assertIn("\n", "".join(texts))
        self.assertEqual([unescaped(line) for line in lines], texts)
        references = self.folder / "references.txt"
        references.write_text("".join(line.split("\t")[1] + "\n\n" for line in pairs.read_text().splitlines()))
        score = lambda *options: json.loads(run("score", "--hypotheses", out, "--references", references, "--tokenization", "sacrebleu", "--json", *options)[0])
        self.assertEqual(score(), score("--escapes", "always"))

    def test_what_score_reads(self):
        """Outputs with line breaks score as the same words with spaces; literal backslashes stay what an option says, and else are said."""
        escaped, spaced, literal, references = (self.folder / name for name in ("escaped", "spaced", "literal", "references"))
        escaped.write_text("the cat\\nsat on the mat\na \\\\ b c d\n")
        spaced.write_text("the cat sat on the mat\na \\ b c d\n")
        literal.write_text("the cat\\nsat on the mat\na \\beta c d\n")
        references.write_text("the cat sat on the mat\n\na \\ b c d\n")
        def score(hypotheses, *options):
            out, err = run("score", "--hypotheses", hypotheses, "--references", references, "--tokenization", "none", "--json", *options)
            return json.loads(out)["bleu"], err
        self.assertAlmostEqual(score(escaped)[0], 100.0)
        self.assertIn("escaped] has backslashes in 2 lines, which are read as escapes", score(escaped)[1])
        value, err = score(escaped, "--escapes", "always", "--reference-escapes", "never")
        self.assertAlmostEqual(value, 100.0)
        self.assertEqual(err, "")
        self.assertLess(score(escaped, "--escapes", "never")[0], 100.0)
        self.assertAlmostEqual(score(spaced, "--escapes", "never", "--reference-escapes", "never")[0], 100.0)
        self.assertIn("literal] has backslashes in 2 lines, which are read as they stand, for one in line 2 begins no escape", score(literal)[1])
        self.refused("score", "--hypotheses", literal, "--references", references, "--escapes", "always", says=("literal] has a backslash that begins no escape; got line 2", "expected \\\\, \\n"))

    def test_generate_writes_a_line_a_source(self):
        """A model that is taught to write a backslash and characters that end lines somewhere."""
        model, data, sources, out = (self.folder / name for name in ("model", "data.csv", "sources.txt", "out"))
        tiny_model.write_llama(model)
        target = "x y\\n z\u2028\u000b"  # a CSV's line breaks are read as spaces
        data.write_text('mr,ref\n"a[b]","' + target + '!"\n', encoding="utf-8", newline="")
        run("finetune", "--model", model, "--train", data, "--method", "full", "--learning-rate", "0.01", "--epochs", "80", "--batch", "1", "--output", self.folder / "a")
        sources.write_text("a : b\n")
        run("generate", "--model", model, "--adapter", self.folder / "a", "--sources", sources, "--output", out, "--max-new", "30")
        lines = out.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines, ["x y\\\\n z\\u2028\\u000b!"])
        self.assertEqual(written("--model", model, "--adapter", self.folder / "a", "--sources", sources, "--max-new", "30")[0]["text"], target + "!")
        several = run("generate", "--model", model, "--adapter", self.folder / "a", "--prompt", "a : b", "--max-new", "30", "--beams", "2", "--sequences", "2")[0]
        self.assertEqual(len(lines_of(several)), 2)


if __name__ == "__main__":
    faults.main()
