"""Adapters: over which base they are used, names that are not UTF-8, what is said of odd ones, full disks and kills.

Full runs (a kill at every call to the file system, a full disk at each) take minutes: GRAFT_FAULTS_FULL=1; else every few calls are tried.
"""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess

import faults
import programs
import tiny_model
from written_files import BaseTest, FileTest, as_bfloat16, files_of, said

FULL = bool(os.environ.get("GRAFT_FAULTS_FULL"))


def split_into_shards(model, folder):
    """The same tensors in two files with an index."""
    shutil.copytree(model, folder)
    data = (folder / "model.safetensors").read_bytes()
    size = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:size])
    header.pop("__metadata__", None)
    names, index = sorted(header), {}
    for number, part in enumerate((names[::2], names[1::2])):
        tensors = {}
        for name in reversed(part):
            first, last = header[name]["data_offsets"]
            tensors[name] = (header[name]["shape"], struct.unpack(f"<{(last - first) // 4}f", data[size + first:size + last]))
            index[name] = f"part{number}.safetensors"
        (folder / f"part{number}.safetensors").write_bytes(tiny_model.safetensors(tensors))
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


class Bases(BaseTest):
    """An adapter over another base of the same shape."""

    def test_another_base_is_refused(self):
        tiny_model.write_llama(self.folder / "other", layers=1, width=16, inner=24, positions=128, seed=1)
        for method in ("lora", "prefix", "prompt", "ia3", "infix", "adapter"):
            adapter = self.folder / method
            self.train(adapter, method=method, steps=1)
            self.generate(self.model, adapter)
            line = self.one_sentence(self.generate(self.folder / "other", adapter, status=1)[1], "generate")
            self.assertIn("was made over a base of other weights", line)
            self.assertIn("--any-base", line)
            self.assertIn("warning: ", self.generate(self.folder / "other", adapter, "--any-base")[1])
            out, err = faults.run("convert", "--adapter", adapter, "--model", self.folder / "other", "--format", "graft", "--output", self.folder / "converted", status=1)
            self.assertIn("was made over a base of other weights", err)

    def test_same_weights_in_shards(self):
        self.train(self.folder / "lora", steps=1)
        split_into_shards(self.model, self.folder / "shards")
        self.assertEqual(self.generate(self.folder / "shards", self.folder / "lora"), self.generate(self.model, self.folder / "lora"))

    def test_another_type_is_a_warning(self):
        self.train(self.folder / "lora", steps=1)
        as_bfloat16(self.model, self.folder / "bf16")
        err = self.generate(self.folder / "bf16", self.folder / "lora")[1]
        self.assertEqual(err.count("warning: "), 1, err)
        self.assertIn("bfloat16", err)

    def test_inspect_says_it(self):
        self.train(self.folder / "lora", steps=1)
        found = faults.run_json("inspect", self.folder / "lora")
        self.assertEqual(found["base"]["storage"], "float32")
        self.assertRegex(found["base"]["hash"], "^[0-9a-f]{16}$")
        self.assertIn(found["base"]["hash"], faults.run("inspect", self.folder / "lora")[0])
        data = (self.folder / "lora/adapter_model.safetensors").read_bytes()
        size = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:size])
        self.assertEqual(header["__metadata__"]["format"], "pt")
        header["__metadata__"] = {"format": "pt"}  # as PEFT writes it
        text = json.dumps(header).encode()
        (self.folder / "lora/adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data[size:])
        self.assertIsNone(faults.run_json("inspect", self.folder / "lora")["base"])
        self.assertIn("unknown", faults.run("inspect", self.folder / "lora")[0])
        tiny_model.write_llama(self.folder / "other", layers=1, width=16, inner=24, positions=128, seed=1)
        self.generate(self.folder / "other", self.folder / "lora")  # nothing is known, nothing is said


class Paths(FileTest):
    """Names that are not UTF-8."""

    def test_all(self):
        odd = os.fsencode(self.folder) + b"/m\xff\xfedel"
        shutil.copytree(os.fsencode(self.model), odd)
        adapter = os.fsencode(self.folder) + b"/ad\xffapter"

        def run(name, *arguments, status=0):
            done = subprocess.run([os.fsencode(programs.PATHS[name]), *(a if isinstance(a, bytes) else str(a).encode() for a in arguments)], capture_output=True, timeout=120)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertNotIn(b"json.exception", done.stderr)
            return done.stdout

        log = os.fsencode(self.folder) + b"/log\xff.jsonl"
        for method in ("lora", "adapter"):
            for json_option in ((), ("--json",)):
                run("finetune", "--model", odd, "--train", self.data, "--method", method, "--steps", 1, "--output", adapter, "--checkpoint", os.fsencode(self.folder) + b"/c\xff" + method.encode(),
                    "--resume", "--log", log, *json_option)
        self.assertTrue(os.path.exists(adapter + b"/adapter_model.safetensors"))
        for json_option in ((), ("--json",)):
            run("generate", "--model", odd, "--adapter", adapter, "--sources", self.sources, "--max-new", 2, "--output", os.fsencode(self.folder) + b"/out\xff", *json_option)
            run("inspect", adapter, *json_option)
            run("inspect", odd, *json_option)
            run("convert", "--adapter", adapter, "--model", odd, "--output", adapter + b"2", "--format", "graft", *json_option)
            run("convert", "--adapter", adapter, "--output", os.fsencode(self.folder) + b"/none\xff.npy", *json_option, status=1)
        run("compare", "--model", odd, "--out", self.folder / "rows", "--quick", status=1)


class Messages(FileTest):
    """What is said is true, and names what the user knows."""

    def test_odd_names_of_a_file(self):
        adapter = self.folder / "adapter"
        adapter.mkdir()
        (adapter / "adapter_config.json").write_text(json.dumps({"graft_type": "lora", "\x1b[31mkey\x07": 1}))
        (adapter / "adapter_model.safetensors").write_bytes(tiny_model.safetensors({"\x1b[2J\u009bname": ([1], [0.0])}))
        (self.folder / "set").mkdir()
        shutil.copytree(adapter, self.folder / "set/a\x1b[31mb")
        out = faults.run("inspect", adapter)[0] + faults.run("generate", "--model", self.model, "--adapter", adapter, "--prompt", "a", status=1)[1]
        out += faults.run("generate", "--model", self.model, "--adapter", self.folder / "set", "--prompt", "a", status=1)[1]
        self.assertGreaterEqual(out.count("\\x1b"), 3, out)
        for raw in ("\x1b", "\x07", "\u009b"):
            self.assertNotIn(raw, out)

    def test_nan_without_checkpoint(self):
        broken = self.folder / "broken"
        shutil.copytree(self.model, broken)
        data = bytearray((broken / "model.safetensors").read_bytes())
        data[-4:] = struct.pack("<f", float("nan"))
        (broken / "model.safetensors").write_bytes(bytes(data))
        err = self.train(self.folder / "a", model=broken, status=1)[1]
        self.assertNotIn("checkpoint", self.one_sentence(err, "finetune"))
        err = self.train(self.folder / "a", "--checkpoint", self.folder / "ck", model=broken, status=1)[1]
        self.assertNotIn("last checkpoint", self.one_sentence(err, "finetune"))

    def test_limit_on_file_sizes(self):
        limited = ["sh", "-c", 'ulimit -f 8; exec "$0" "$@"', programs.PATHS["finetune"], "--model", str(self.model), "--train", str(self.data), "--method", "lora", "--rank", "64", "--steps", "1",
                   "--output", str(self.folder / "adapter")]
        done = subprocess.run(limited, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"[{self.folder}/adapter/adapter_model.safetensors]", self.one_sentence(done.stderr, "finetune"))
        self.assertEqual(list(self.folder.iterdir()), [])


class EveryCall(FileTest):
    """A run that is killed at every call to the file system, and one whose disk is full from every call on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = os.environ.get("GRAFT_KILL_LIBRARY") or cls.compile()

    @classmethod
    def compile(cls):
        library = cls.shared / "kill_at_call.so"
        source = pathlib.Path(__file__).with_name("kill_at_call.cpp")
        try:
            done = subprocess.run(["c++", "-std=c++20", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], capture_output=True)
        except FileNotFoundError:
            return None
        return library if done.returncode == 0 else None

    def setUp(self):
        super().setUp()
        if not self.library:
            said(f"{self.id()}: no library to preload; GRAFT_KILL_LIBRARY names it")
            self.skipTest("no library to preload")

    def lay_out(self, folder):
        """A place with an earlier adapter, which holds a file and a folder of the user's."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.earlier, folder)

    def prepare(self):
        self.earlier = self.folder / "earlier"
        self.train(self.earlier / "adapter", steps=1)
        (self.earlier / "adapter/README.md").write_text("mine")
        (self.earlier / "adapter/sub").mkdir()
        (self.earlier / "adapter/sub/notes").write_text("mine too")
        self.old = files_of(self.earlier)
        self.place = self.folder / "place"

    def finetune(self, **environment):
        command = [programs.PATHS["finetune"], "--model", self.model, "--train", self.data, "--method", "lora", "--dropout", "0.2", "--steps", "3", "--batch", "2", "--checkpoint", self.place / "ck",
                   "--checkpoint-every", "1", "--resume", "--log", self.place / "log.jsonl", "--output", self.place / "adapter"]
        preload = {"LD_PRELOAD": str(self.library), "GRAFT_CALLS_UNDER": str(self.place), "ASAN_OPTIONS": "verify_asan_link_order=0"} if environment else {}
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, env={**os.environ, "GRAFT_NUM_THREADS": "1", **preload, **environment})

    def whole(self):
        """Files of a run that nothing stopped, and the numbers of calls."""
        self.lay_out(self.place)
        count = self.folder / "count"
        done = self.finetune(GRAFT_CALLS_COUNT=str(count))
        self.assertEqual(done.returncode, 0, done.stderr)
        calls, room = map(int, count.read_text().split())
        self.assertGreater(calls, 100)
        self.assertGreater(room, 40)
        return self.result(), calls, room

    def result(self):
        files = files_of(self.place / "adapter")
        self.assertEqual(files.pop("README.md"), b"mine")
        self.assertEqual(files.pop("sub/notes"), b"mine too")
        log = [json.loads(line) for line in (self.place / "log.jsonl").read_text().splitlines()]
        self.no_temporaries(self.place)
        self.assertEqual(sorted(path.name for path in (self.place / "ck").iterdir()), ["step-00000002", "step-00000003"])
        return files, [(line["event"], line["step"], line.get("loss")) for line in log]

    def old_or_new(self, new, number):
        """At any time the adapter is the earlier one or the new one, with what belongs to it; the user's folder may be waiting for the next writer."""
        files = {name: data for name, data in files_of(self.place / "adapter").items() if not name.startswith(".graft-tmp-")}
        self.assertEqual(files.pop("README.md"), b"mine", number)
        files.pop("sub/notes", None)
        old = {name.removeprefix("adapter/"): data for name, data in self.old.items() if not name.endswith(("README.md", "notes"))}
        self.assertTrue(files in (old, new), f"call {number}: neither the earlier adapter nor the new one: {sorted(files)}")

    def steps_of(self, calls):
        stride = 1 if FULL else max(1, calls // 45)
        if stride > 1:
            said(f"{self.id().removeprefix('__main__.')}: every {stride}th of {calls} calls; all with GRAFT_FAULTS_FULL=1")
        return range(1, calls + 1, stride)

    def test_killed(self):
        self.prepare()
        expected, calls, _ = self.whole()
        for number in self.steps_of(calls):
            self.lay_out(self.place)
            done = self.finetune(GRAFT_KILL_AT=str(number))
            self.assertEqual(done.returncode, -signal.SIGKILL, f"call {number}: {done.stderr}")
            self.old_or_new(expected[0], number)
            done = self.finetune()
            self.assertEqual(done.returncode, 0, f"call {number}: {done.stderr}")
            self.assertNotIn("going back", done.stderr)
            self.assertEqual(self.result(), expected, f"call {number}")

    def test_full_disk(self):
        self.prepare()
        expected, _, room = self.whole()
        for number in self.steps_of(room):
            self.lay_out(self.place)
            done = self.finetune(GRAFT_FULL_AT=str(number))
            if done.returncode == 0:  # the last steps find another way where there is no room: then all is there
                self.assertEqual(self.result(), expected, f"call {number}")
                continue
            self.assertEqual(done.returncode, 1, f"call {number}: {done.stderr}")
            line = self.one_sentence(done.stderr, "finetune")
            self.assertIn("No space left on device", line)
            self.assertIn(str(self.place), line)
            self.no_temporaries(self.place)
            self.old_or_new(expected[0], number)
            self.assertEqual((self.place / "adapter/sub/notes").read_bytes(), b"mine too")
            done = self.finetune()
            self.assertEqual(done.returncode, 0, f"call {number}: {done.stderr}")
            self.assertEqual(self.result(), expected, f"call {number}")


if __name__ == "__main__":
    faults.main()
