"""Numbers, threads and files of the wrong kind: one sentence of graft's, never a foreign exception's text, a hang or a crash."""

import copy
import json
import os
import resource
import shutil
import subprocess

import faults
import tiny_model
from faults import FaultTest
from programs import PATHS

FOREIGN = ("json.exception", "nlohmann", "filesystem error", "terminate", "std::", "basic_string", "bad_alloc", "vector::", "_M_", "stoi", "[internal]", "Resource temporarily")


def limited(**limits):
    """What a child does before it runs: resource limits by name, as another user where the number of processes is limited (root is not)."""

    def prepare():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))
        if "RLIMIT_NPROC" in limits and os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

    return prepare


class ProgramRun(FaultTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        tiny_model.write_llama(self.model, layers=1)
        self.data = self.folder / "data.txt"
        self.data.write_text("".join(f"name : N{i} | type : {kind} || N{i} is a {kind}.\n" for i in range(12) for kind in ("pub", "bar")))

    def start(self, name, *arguments, environment=None, prepare=None, seconds=60):
        return subprocess.run([PATHS[name], *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=seconds,
                              env={**os.environ, "GRAFT_NUM_THREADS": "1", **(environment or {})}, preexec_fn=prepare)

    def sentence(self, done, name, says=()):
        """The run failed with one sentence that begins with the program's name, or with a usage error; returns it."""
        self.assertIn(done.returncode, (1, 2), f"{done.args}: {done.stdout[-300:]}{done.stderr[-500:]}")
        for text in FOREIGN:
            self.assertNotIn(text, done.stderr + done.stdout, done.args)
        lines = [line for line in done.stderr.rstrip("\n").split("\n") if not line.startswith("warning: ")]
        if done.returncode == 1:
            self.assertRegex(lines[-1], rf"^{name}: \[", done.args)
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, done.stderr, done.args)
        return lines[-1]


class Threads(ProgramRun):
    def generate(self, **how):
        return self.start("generate", "--model", self.model, "--prompt", "name a pub is", "--max-new", "4", **how)

    def test_fewer_threads_where_there_is_no_memory_for_them(self):
        expected = self.generate().stdout
        done = self.generate(environment={"GRAFT_NUM_THREADS": "200"}, prepare=limited(RLIMIT_AS=1_500_000 * 1024))
        if done.returncode == 0:
            self.assertEqual(done.stdout, expected)
            self.assertIn("warning: [threads] the system refused some threads", done.stderr)
        else:
            self.sentence(done, "generate", "memory")
        for limit in (300, 600, 1000):  # MB
            done = self.generate(environment={"GRAFT_NUM_THREADS": "100"}, prepare=limited(RLIMIT_AS=limit * 1024 * 1024))
            if done.returncode == 0:
                self.assertEqual(done.stdout, expected)
            elif "error while loading shared libraries" not in done.stderr:
                self.sentence(done, "generate", "memory")

    def test_fewer_threads_where_there_are_too_many_processes(self):
        for path in [self.folder, *self.folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        if not os.access(PATHS["generate"], os.X_OK) or subprocess.run([PATHS["generate"], "--help"], capture_output=True, preexec_fn=limited(RLIMIT_NPROC=100)).returncode != 0:
            self.skipTest("another user cannot run the programs")
        done = self.generate(environment={"GRAFT_NUM_THREADS": "100"}, prepare=limited(RLIMIT_NPROC=20))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, self.generate().stdout)
        self.assertIn("expected 100", done.stderr)

    def test_the_number_of_threads_is_understood_or_said(self):
        for value in ("0", "-1", "abc", "1e9", "", "2 threads", "1000000000", "99999999999999999999"):
            with self.subTest(value):
                done = self.generate(environment={"GRAFT_NUM_THREADS": value})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr.count("warning: [GRAFT_NUM_THREADS] is not understood"), 1, done.stderr)
        self.assertNotIn("GRAFT_NUM_THREADS", self.generate(environment={"GRAFT_NUM_THREADS": "3"}).stderr)


class Numbers(ProgramRun):
    HUGE = (str(2**31), str(10**12), str(2**62), str(2**63 - 1), str(2**63), "-1", "1.5", "nan", "x", "")

    def refuse_all(self, name, base, option, values, method=None):
        for value in values:
            with self.subTest(option=option, value=value, method=method):
                done = self.start(name, *base, *(["--method", method] if method else []), f"{option}={value}", seconds=30)
                self.sentence(done, name)
                self.assertFalse((self.folder / "out").exists())

    def tuning(self, *more):
        return ["--model", self.model, "--data", self.data, "--output", self.folder / "out", *more]

    def test_sizes_of_a_strategy(self):
        for method, option in (("prefix", "--length"), ("prompt", "--length"), ("embedding", "--length"), ("p_tuning", "--length"), ("infix", "--length"), ("prefix_mlp", "--hidden"),
                               ("embedding", "--hidden"), ("lora", "--rank"), ("adapter", "--bottleneck"), ("parallel_adapter", "--bottleneck"), ("top_layers", "--layers"), ("prefix", "--layers")):
            self.refuse_all("finetune", self.tuning("--steps", "1"), option, (str(2**31 - 1), *self.HUGE, "0"), method)

    def test_reals_of_a_strategy(self):
        for method, option, bad in (("lora", "--alpha", ("nan", "inf", "1e308", "1e400")), ("lora", "--dropout", ("nan", "1", "1.5", "-0.1", "inf")), ("prefix", "--dropout", ("1", "-1", "nan")),
                                    ("p_tuning", "--dropout", ("1", "nan")), ("prefix", "--init-deviation", ("inf", "nan", "-1", "1e308")), ("prompt", "--init-deviation", ("inf", "nan")),
                                    ("adapter", "--share", ("nan", "inf", "1e300", "2"))):
            self.refuse_all("finetune", self.tuning("--steps", "1"), option, bad, method)

    def test_a_training(self):
        for option in ("--batch", "--accumulate", "--validate-every", "--patience", "--max-source", "--max-target", "--checkpoint-every", "--steps", "--epochs"):
            self.refuse_all("finetune", self.tuning(*(["--steps", "1"] if option not in ("--steps", "--epochs") else [])), option, self.HUGE, "lora")
        for option in ("--learning-rate", "--warmup", "--weight-decay", "--clip", "--min-delta"):
            self.refuse_all("finetune", self.tuning("--steps", "1"), option, ("nan", "-nan", "inf", "-1", "1e400", "1e300" if option != "--warmup" else "2"), "lora")
        for option in ("--seed", "--rows"):
            self.refuse_all("finetune", self.tuning("--steps", "1"), option, ("18446744073709551616", "-1", "1.5", "nan"), "lora")

    def test_generation(self):
        base = ["--model", self.model, "--prompt", "a"]
        for option in ("--max-new", "--batch", "--beams", "--min-new", "--no-repeat-ngram", "--max-source"):
            self.refuse_all("generate", base, option, self.HUGE)
        sample = [*base, "--max-new", "2", "--sample"]
        for option in ("--top-k", "--sequences"):
            self.refuse_all("generate", sample, option, self.HUGE)
        for option, bad in (("--temperature", ("nan", "0", "-1", "inf")), ("--top-p", ("nan", "1.5", "-1")), ("--min-p", ("nan", "1.5", "inf")), ("--repetition-penalty", ("nan", "0", "-1", "inf")),
                            ("--seed", ("18446744073709551616", "-1", "x"))):
            self.refuse_all("generate", sample, option, bad)
        self.refuse_all("generate", [*base, "--max-new", "2", "--beams", "2"], "--length-penalty", ("nan", "inf"))

    def test_columns(self):
        tiny_model.write_bert(self.folder / "bert", ["a", "b"])
        rows = self.folder / "rows.tsv"
        rows.write_text("a\t1\nb\t0\n")
        base = ["--model", self.folder / "bert", "--train", rows, "--method", "head", "--output", self.folder / "out"]
        for option in ("--text-columns", "--label-column"):
            self.refuse_all("classify", base, option, ("-1", "0", "99999999999999999999", "x", str(2**63)))

    def test_sizes_of_a_configuration(self):
        for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size", "max_position_embeddings", "head_dim"):
            for value in (2**31 - 1, 2**31, 2**62, 2**63, -1, 0):
                if key == "max_position_embeddings" and value == 2**31 - 1:
                    continue  # LLaMA has no table of positions: as long as they say
                with self.subTest(key=key, value=value):
                    config = json.loads((self.model / "config.json").read_text())
                    config[key] = value
                    other = self.folder / "other"
                    shutil.copytree(self.model, other, dirs_exist_ok=True)
                    (other / "config.json").write_text(json.dumps(config))
                    for name, *arguments in (("inspect", other), ("generate", "--model", other, "--prompt", "a", "--max-new", "1")):
                        done = self.start(name, *arguments, prepare=limited(RLIMIT_AS=8 << 30), seconds=30)
                        if name == "inspect" and done.returncode == 0:
                            continue  # says what the configuration says, and allocates nothing
                        if not (key == "max_position_embeddings" and done.returncode == 0 and value == 2**31):
                            self.sentence(done, name)


class WrongTypes(ProgramRun):
    """Every value of every JSON file becomes null, a number, a text, a list and an object in turn."""

    OTHERS = (None, True, -7, 1e300, "text", [], ["text", 3], {}, {"a": 1})

    def places(self, value, path=(), depth=5):
        """The paths of all values; of long lists and objects some."""
        yield path
        if depth and isinstance(value, (dict, list)):
            keys = list(value) if isinstance(value, dict) else list(range(len(value)))
            for key in keys if len(keys) <= 40 else keys[:2] + keys[-1:]:
                yield from self.places(value[key], (*path, key), depth - 1)

    def variants(self, original):
        for path in self.places(original):
            for other in self.OTHERS:
                if not path:
                    yield path, other
                    continue
                changed = copy.deepcopy(original)
                at = changed
                for key in path[:-1]:
                    at = at[key]
                if type(at[path[-1]]) is not type(other):
                    at[path[-1]] = other
                    yield path, changed

    def every(self, file, name, *arguments, every=1):
        original = json.loads(file.read_text(encoding="utf-8"))
        try:
            for number, (path, changed) in enumerate(self.variants(original)):
                if number % every:
                    continue
                file.write_text(json.dumps(changed))
                done = self.start(name, *arguments)
                with self.subTest(file=file.name, path=path, text=json.dumps(changed)[:80]):
                    if done.returncode != 0:
                        self.sentence(done, name)
                    for text in FOREIGN:
                        self.assertNotIn(text, done.stderr)
        finally:
            file.write_text(json.dumps(original))

    def test_of_a_model(self):
        (self.model / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, 2], "bos_token_id": 1, "pad_token_id": 0, "max_length": 20, "do_sample": False, "temperature": 1.0,
                                                                       "forced_bos_token_id": None, "suppress_tokens": [3], "num_beams": 1, "no_repeat_ngram_size": 0}))
        (self.model / "special_tokens_map.json").write_text(json.dumps({"eos_token": {"content": "<|end|>", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}, "pad_token": "<|end|>",
                                                                        "additional_special_tokens": ["<|end|>"]}))
        (self.model / "added_tokens.json").write_text(json.dumps({"<|end|>": 267}))
        generate = ["generate", "--model", self.model, "--prompt", "a", "--max-new", "1"]
        for file in ("config.json", "generation_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer_config.json"):
            self.every(self.model / file, *generate, every=2)
        self.every(self.model / "tokenizer.json", *generate, every=7)

    def test_of_other_tokenizers_and_configurations(self):
        tiny_model.write_bert(self.folder / "bert", ["a", "b"])
        for file in ("config.json", "tokenizer_config.json"):
            self.every(self.folder / "bert" / file, "inspect", self.folder / "bert")
        tiny_model.write_bart(self.folder / "bart")
        self.every(self.folder / "bart" / "config.json", "inspect", self.folder / "bart", every=2)

    def test_of_shards(self):
        (self.model / "model.safetensors").rename(self.model / "model-00001-of-00001.safetensors")
        with open(self.model / "model-00001-of-00001.safetensors", "rb") as file:
            names = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        names.pop("__metadata__", None)
        index = {"metadata": {"total_size": 1}, "weight_map": {name: "model-00001-of-00001.safetensors" for name in names}}
        (self.model / "model.safetensors.index.json").write_text(json.dumps(index))
        self.every(self.model / "model.safetensors.index.json", "generate", "--model", self.model, "--prompt", "a", "--max-new", "1")

    def test_of_adapters(self):
        for method in ("lora", "prefix", "infix", "ia3", "adapter"):
            adapter = self.folder / method
            done = self.start("finetune", "--model", self.model, "--data", self.data, "--method", method, "--steps", "1", "--output", adapter)
            self.assertEqual(done.returncode, 0, done.stderr)
            every = 1 if method in ("lora", "infix") else 4
            for file in sorted(adapter.glob("*.json")):
                self.every(file, "generate", "--model", self.model, "--adapter", adapter, "--prompt", "a", "--max-new", "1", every=every)
            self.every(adapter / "adapter_config.json", "inspect", adapter, every=5)

    def test_of_a_checkpoint(self):
        base = ["--model", self.model, "--data", self.data, "--method", "lora", "--steps", "2", "--checkpoint-every", "1", "--checkpoint", self.folder / "run", "--output", self.folder / "out"]
        self.assertEqual(self.start("finetune", *base).returncode, 0)
        shutil.rmtree(self.folder / "run" / "step-00000002")
        self.every(self.folder / "run" / "step-00000001" / "training.json", "finetune", *base, "--resume", every=20)  # the manifest refuses them; tests/fuzz makes it anew


if __name__ == "__main__":
    faults.main()
