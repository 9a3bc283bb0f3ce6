"""Where a template is kept, what becomes of it when a folder is converted or merged, and what options say against it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

import faults
import programs
import tiny_model
from faults import run, run_json
from templates import BEGIN, LlamaTest, set_template, template_of, written


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


if __name__ == "__main__":
    faults.main()
