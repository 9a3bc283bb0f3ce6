"""Every setting of every strategy through --set: the list comes from --list-settings, one run of a program for each setting, with a value that is not its default.

What a run of finetune was given stands in its checkpoint. A setting that only an encoder-decoder or a classifier has is given to seq2seq or classify.
"""

import json
import re
import subprocess

import programs
import tiny_model
from programs import PATHS, ProgramTest, run

LINE = re.compile(r"^  --set ([\w.]+)=(.*?)  \((.*)\)$", re.M)
# What makes other settings matter: words to start from, an MLP, an LSTM.
WORDS, NORMAL, MLP, FLAT = ("init=words", "init_words=5+6"), ("init=normal",), ("reparametrization=on",), ("reparametrization=none",)
LSTM = ("encoder=lstm",)
COMPANIONS = [(), LSTM, WORDS, MLP, NORMAL, FLAT, WORDS + MLP, WORDS + FLAT, NORMAL + MLP, NORMAL + FLAT]
# What is tried first, to save runs: the companions and the program that a setting of this name is likely to need.
LIKELY = {"init_words": WORDS, "fill_from_vocabulary": WORDS, "embed_words_as_input": WORDS + MLP, "reparametrization.input": NORMAL + MLP, "init_deviation": NORMAL + FLAT, "layers": (), "p_tuning layers": LSTM, "p_tuning dropout": LSTM}
PROGRAM = {"scope": "seq2seq", "side": "seq2seq", "pooling": "classify", "bitfit head": "classify", "full head": "classify", "head labels": "classify", "head restart": "classify", "head init_deviation": "classify"}
MODULES = {"finetune": ("k_proj", "down_proj"), "seq2seq": ("k_proj", "fc2"), "classify": ("key",)}


def values(kind, program):
    """Values of that kind, as --list-settings says it."""
    if kind.startswith("one of "):
        return kind.removeprefix("one of ").split(", ")
    by_kind = {"true or false": ("true", "false"), "none or on": ("on", "none"), "a number": ("0.25", "0.5"), "a whole number": ("2", "1", "3")}
    return by_kind.get(kind, ("3+4",) if kind.startswith("words") else ("1",) if kind.startswith("values") else MODULES[program])


def parts(strategy):
    """Names of a composition's parts, which the settings' names have before them."""
    return {"prefix_lora": ("prefix", "lora"), "mam": ("prefix", "parallel_adapter")}.get(strategy)


def in_checkpoint(identity, strategy, name):
    """A setting's value in a checkpoint's identity."""
    at = identity["strategy"]
    if parts(strategy):
        part, name = name.split(".", 1)
        at = at["parts"][parts(strategy).index(part)]
    at = at["settings"]
    for one in name.split("."):
        at = at[one]
    return at


def as_text(value):
    """A JSON value as --set takes it."""
    if isinstance(value, list):
        return "+".join("/".join(map(str, one)) if isinstance(one, list) else str(one) for one in value) or "none"
    if isinstance(value, dict):
        return "on"
    return "none" if value is None else json.dumps(value).strip('"')


def same(a, b):
    try:
        return float(a) == float(b)
    except ValueError:
        return a == b


class Settings(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tiny_model.write_bart(cls.folder / "bart", layers=2)
        tiny_model.write_bert(cls.folder / "bert", ["good", "bad", *(f"word{i}" for i in range(12))])
        pairs, classes = cls.write("pairs.tsv", "ab\tAB\nba\tBA\n"), cls.write("classes.tsv", "bad word2\t0\ngood word1\t1\n")
        cls.commands = {"finetune": ("--model", cls.model, "--train", cls.write("few.txt", "a || b\nc || d\n")), "seq2seq": ("--model", cls.folder / "bart", "--train", pairs),
                        "classify": ("--model", cls.folder / "whole", "--train", classes)}
        run("classify", "--model", cls.folder / "bert", "--train", classes, "--method", "full", "--steps", 1, "--output", cls.folder / "trained")
        run("convert", "--adapter", cls.folder / "trained", "--model", cls.folder / "bert", "--merge", "--output", cls.folder / "whole")  # a classifier with a head

    def attempt(self, program, strategy, settings, checkpoint):
        """Whether the program takes the settings; what it prints on standard error."""
        command = [PATHS[program], *self.commands[program], "--method", strategy, "--steps", "1", "--json"]
        if program == "finetune":
            command += ["--output", self.folder / checkpoint, "--checkpoint", self.folder / f"{checkpoint}_checkpoints"]
        for setting in settings:
            command += ["--set", setting]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False)
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        return done.returncode == 0, done.stderr

    def listed(self, strategy):
        return LINE.findall(run("finetune", "--list-settings", strategy)[0])

    def strategies(self):
        return re.findall(r"^\s+(\w+): ", re.search(r"Strategy:\n(.*?)\n\s*--", run("finetune", "--help")[0], re.S)[1], re.M)

    def one(self, strategy, name, fallback, kind):
        """Runs a program with the setting; the sentence of the last refusal where none takes it."""
        before = "prefix." if parts(strategy) else ""
        error = ""
        last = name.removeprefix(before)
        likely = lambda table, otherwise: table.get(f"{strategy} {last}", table.get(last, otherwise))
        for program in sorted(self.commands, key=lambda one: one != likely(PROGRAM, "finetune")):
            for companions in sorted(COMPANIONS, key=lambda one: one != likely(LIKELY, ())):
                companions = tuple(before + one for one in companions if not (before + one).startswith(name + "="))
                for value in values(kind, program):
                    if same(value, fallback):
                        continue
                    checkpoint = f"{strategy}_{name}_{len(list(self.folder.iterdir()))}"
                    taken, error = self.attempt(program, strategy, (*companions, f"{name}={value}"), checkpoint)
                    if not taken:
                        continue
                    if program == "finetune":
                        saved = next((self.folder / f"{checkpoint}_checkpoints").rglob("training.json"))
                        self.assertTrue(same(as_text(in_checkpoint(json.loads(saved.read_text())["identity"], strategy, name)), value), saved.read_text())
                    return None
        return error

    def test_every_setting_is_reached(self):
        strategies = self.strategies()
        self.assertIn("lora", strategies)
        count = 0
        for strategy in strategies:
            for name, fallback, kind in self.listed(strategy):
                if (strategy, name) == ("infix", "scope"):  # a prefix's: an infix has one place in every model
                    self.assertIn("--set scope has no effect", run("seq2seq", *self.commands["seq2seq"], "--method", "infix", "--set", "scope=decoder", status=2)[1])
                    continue
                with self.subTest(strategy=strategy, setting=name):
                    self.assertIsNone(self.one(strategy, name, fallback, kind))
                    count += 1
        self.assertGreater(count, 90)

    def test_list_of_settings(self):
        text, err = run("finetune", "--list-settings", "prefix_lora")
        self.assertEqual(err, "")
        self.assertIn("  --set lora.rank=8  (a whole number)\n      r, the rank of the trained product\n", text)
        self.assertIn("learning rate: 0.002\n", text)
        self.assertIn("it has no settings", run("classify", "--list-settings", "none")[0])

    def test_what_cannot_be_meant_is_one_sentence(self):
        lora = ("finetune", *self.commands["finetune"], "--steps", "1", "--output", self.folder / "never", "--method", "lora")
        for words, says in (
                (("--set", "rank"), 'expected NAME=VALUE'), (("--set", "=4"), "expected NAME=VALUE"), (("--set", "rnk=4"), "did you mean rank?"), (("--set", "rank=four"), 'got rank "four"; expected a whole number'),
                (("--set", "rank=0"), "[lora] got rank 0; expected at least 1"), (("--set", "rank=4", "--set", "rank=8"), "rank twice; expected it once"), (("--rank", 4, "--set", "rank=8"), "--rank has no effect beside --set rank=8"),
                (("--set", "alpha=0"), "--alpha 0 would make LoRA without effect"), (("--set", "targets=lm_head"), "which is the head"), (("--set", "head.restart=true"), "--set head.restart has no effect with --method lora on a llama model"),
                (("--method", "prompt", "--set", "init_deviation=0.5"), "--set init_deviation has no effect with --method prompt on a llama model"),
                (("--method", "adapter", "--set", "share=0.5", "--set", "bottleneck=4"), "--set bottleneck has no effect beside --set share"), (("--method", "adapter", "--share", 0.5, "--set", "bottleneck=4"), "--set bottleneck has no effect beside --share"),
                (("--method", "prefix_lora", "--dropout", 0.5, "--set", "lora.dropout=0.1"), "--dropout has no effect beside --set lora.dropout=0.1"), (("--method", "none", "--set", "rank=4"), "--method none")):
            with self.subTest(words):
                command = lora[:-2] if "--method" in words else lora
                out, err = run(*command, *words, status=2)
                self.assertEqual(out, "")
                self.assertIn(says, err)
        self.assertFalse((self.folder / "never").exists())

    def test_an_option_is_a_short_name(self):
        weights = []
        for name, words in (("option", ("--rank", 3, "--targets", "k_proj,down_proj", "--dropout", 0.5)), ("set", ("--set", "rank=3", "--set", "targets=k_proj+down_proj", "--set", "dropout=0.5"))):
            run("finetune", *self.commands["finetune"], "--method", "lora", "--steps", 2, "--output", self.folder / name, *words)
            weights.append((self.folder / name / "adapter_model.safetensors").read_bytes())
        self.assertEqual(*weights)
        adapters = []
        for name, words in (("topmost", ("--layers", 2)), ("listed", ("--set", "layers=0+1"))):  # both layers of the model
            run("finetune", *self.commands["finetune"], "--method", "prefix", "--steps", 1, "--output", self.folder / name, *words)
            adapters.append([(self.folder / name / file).read_bytes() for file in ("adapter_config.json", "adapter_model.safetensors")])
        self.assertEqual(*adapters)


if __name__ == "__main__":
    programs.main()
