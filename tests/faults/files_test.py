"""Outputs that are no files, folders that must be whole, resumed trainings, bases, locks, signals, full disks and kills.

Full runs (a kill at every call to the file system, a full disk at each) take minutes: GRAFT_FAULTS_FULL=1; else every few calls are tried.
"""

import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import faults
import programs
import tiny_model

FULL = bool(os.environ.get("GRAFT_FAULTS_FULL"))
TEMPORARY = (".graft-tmp-", ".graft-swap-", ".graft-lock-")


def said(text):
    """Reports at the end what a test left out."""
    atexit.register(print, f"[graft] skipped: {text}")


def files_of(folder):
    """Contents of all files below a folder, by relative name."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class FileTest(faults.FaultTest):
    """A tiny model, data, and an adapter trained over it (once for all tests)."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="graft-files-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.model = cls.shared / "model"
        tiny_model.write_llama(cls.model, layers=1, width=16, inner=24, positions=128)
        cls.data = cls.shared / "data.txt"
        cls.data.write_text("".join(f"name : N{i} || N{i} is a pub.\n" for i in range(8)))
        cls.sources = cls.shared / "sources.txt"
        cls.sources.write_text("name : A\nname : B\n")

    def train(self, output, *more, model=None, status=0, steps=4, method="lora"):
        return faults.run("finetune", "--model", model or self.model, "--train", self.data, "--method", method, "--steps", steps, "--batch", 2, "--output", output, *more, status=status)

    def start(self, name, *arguments, **options):
        environment = {**os.environ, "GRAFT_NUM_THREADS": "1", **options.pop("environment", {})}
        process = subprocess.Popen([programs.PATHS[name], *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def last_event(self, log):
        return json.loads(pathlib.Path(log).read_text().splitlines()[-1])

    def wait_for(self, condition, seconds=60):
        deadline = time.time() + seconds
        while not condition():
            self.assertLess(time.time(), deadline, "waited in vain")
            time.sleep(0.01)

    def one_sentence(self, err, name):
        lines = [line for line in err.strip().splitlines() if line.startswith(name + ":")]
        self.assertEqual(len(lines), 1, err)
        self.assertTrue(lines[0].startswith(name + ": ["), err)
        for foreign in ("filesystem error", "json.exception", "terminate called", ".graft-tmp-"):
            self.assertNotIn(foreign, err)
        return lines[0]

    def no_temporaries(self, folder):
        left = [str(path) for path in pathlib.Path(folder).rglob(".graft-*")]
        self.assertEqual(left, [])


class Streams(FileTest):
    """Outputs onto what is no regular file."""

    def generate(self, output, status=0):
        return faults.run("generate", "--model", self.model, "--sources", self.sources, "--max-new", 4, "--output", output, status=status)

    def read_fifo(self, path):
        got = []
        thread = threading.Thread(target=lambda: got.append(path.read_bytes()))
        thread.start()
        return thread, got

    def test_fifo(self):
        expected = self.folder / "plain.txt"
        self.generate(expected)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        (self.folder / "link").symlink_to("pipe")
        for output in (pipe, self.folder / "link"):
            thread, got = self.read_fifo(pipe)
            self.generate(output)
            thread.join(30)
            self.assertEqual(got, [expected.read_bytes()])
            self.assertTrue(pipe.is_fifo())

    def test_fifo_npy(self):
        self.train(self.folder / "prompt", method="prompt")
        faults.run("convert", "--adapter", self.folder / "prompt", "--output", self.folder / "plain.npy")
        os.mkfifo(self.folder / "pipe.npy")
        thread, got = self.read_fifo(self.folder / "pipe.npy")
        faults.run("convert", "--adapter", self.folder / "prompt", "--output", self.folder / "pipe.npy")
        thread.join(30)
        self.assertEqual(got, [(self.folder / "plain.npy").read_bytes()])
        self.assertTrue((self.folder / "pipe.npy").is_fifo())

    def test_fifo_log(self):
        os.mkfifo(self.folder / "log")
        thread, got = self.read_fifo(self.folder / "log")
        self.train(self.folder / "adapter", "--log", self.folder / "log")
        thread.join(30)
        self.assertEqual([json.loads(line)["event"] for line in got[0].splitlines()][-1], "end")
        self.assertTrue((self.folder / "log").is_fifo())

    def test_fifo_that_nobody_reads_any_more(self):
        os.mkfifo(self.folder / "log")
        reader = os.open(self.folder / "log", os.O_RDONLY | os.O_NONBLOCK)
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 2000, "--output", self.folder / "a", "--log", self.folder / "log")
        self.wait_for(lambda: self.some(reader))
        os.close(reader)
        err = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("the training goes on", err)
        self.assertTrue((self.folder / "a/adapter_config.json").exists())

    @staticmethod
    def some(reader):
        try:
            return os.read(reader, 10)
        except BlockingIOError:
            return b""

    def test_standard_output(self):
        expected = self.folder / "plain.txt"
        self.generate(expected)
        self.assertEqual(self.generate("/dev/stdout")[0], expected.read_text())
        target = self.folder / "appended.txt"
        target.write_text("before\n")
        with open(target, "a") as out:  # as a shell's >>
            subprocess.run([programs.PATHS["generate"], "--model", self.model, "--sources", self.sources, "--max-new", "4", "--output", "/dev/stdout"], stdout=out, stderr=subprocess.DEVNULL, check=True)
        self.assertEqual(target.read_text(), "before\n" + expected.read_text())

    def test_refused(self):
        (self.folder / "folder").mkdir()
        (self.folder / "loop").symlink_to("loop")
        (self.folder / "ring1").symlink_to("ring2")
        (self.folder / "ring2").symlink_to("ring1")
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(self.folder / "socket"))
        for name, says in (("folder", "is a folder"), ("loop", "loop"), ("ring1", "loop"), ("socket", "socket"), ("none/file", "cannot be written"), ("loop/file", "cannot be written")):
            output = self.folder / name
            before = sorted(os.listdir(self.folder))
            self.one_sentence(self.refused("generate", "--model", self.model, "--sources", self.sources, "--output", output, says=[str(output), says]), "generate")
            self.one_sentence(self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", self.folder / "adapter", "--log", output, says=str(output)), "finetune")
            self.assertFalse((self.folder / "adapter").exists())
            self.assertEqual(sorted(os.listdir(self.folder)), before)
        for name in ("loop", "socket"):
            self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", self.folder / name, says=str(self.folder / name))
        self.assertTrue((self.folder / "loop").is_symlink())

    def test_dangling_link(self):
        (self.folder / "link").symlink_to("later.txt")
        self.generate(self.folder / "link")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(len((self.folder / "later.txt").read_text().splitlines()), 2)
        (self.folder / "adapter").symlink_to("elsewhere")
        self.train(self.folder / "adapter")
        self.assertTrue((self.folder / "adapter").is_symlink())
        self.assertTrue((self.folder / "elsewhere/adapter_config.json").exists())
        (self.folder / "astray").symlink_to("no/such/folder/file")
        self.one_sentence(self.generate(self.folder / "astray", status=1)[1], "generate")
        self.assertTrue((self.folder / "astray").is_symlink())

    def test_devices(self):
        mount = self.folder / "mnt"
        mount.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "dev", "tmpfs", mount], capture_output=True).returncode != 0:
            said("devices: mount is not permitted here")
            self.skipTest("mount is not permitted here")
        self.addCleanup(subprocess.run, ["umount", mount], capture_output=True)
        null = mount / "null"
        if subprocess.run(["mknod", null, "c", "1", "3"], capture_output=True).returncode != 0:
            said("devices: mknod is not permitted here")
            self.skipTest("mknod is not permitted here")
        subprocess.run(["mknod", mount / "full", "c", "1", "7"], check=True)
        subprocess.run(["mknod", mount / "block", "b", "240", "77"], check=True)
        (mount / "null.npy").symlink_to("null")
        self.generate(null)
        self.train(self.folder / "prompt", "--log", null, method="prompt")
        faults.run("convert", "--adapter", self.folder / "prompt", "--output", mount / "null.npy")
        self.assertTrue(null.is_char_device())
        self.assertTrue((mount / "null.npy").is_symlink())
        self.assertIn("No space left", self.one_sentence(self.generate(mount / "full", status=1)[1], "generate"))
        self.assertTrue((mount / "full").is_char_device())
        self.assertIn("is a device", self.one_sentence(self.generate(mount / "block", status=1)[1], "generate"))
        self.assertTrue((mount / "block").is_block_device())
        err = self.train(self.folder / "prompt", "--log", mount / "full", method="prompt")[1]
        self.assertIn("the training goes on", err)
        for name in ("null", "full", "block"):
            self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", mount / name, says=str(mount / name))

    def test_predictions(self):
        tiny_model.write_bart(self.folder / "bart")
        pairs = self.folder / "pairs.tsv"
        pairs.write_text("abc\tcba\nabd\tdba\n")
        (self.folder / "loop").symlink_to("loop")
        common = ("seq2seq", "--model", self.folder / "bart", "--test", pairs, "--max-new", 4, "--predictions")
        self.one_sentence(self.refused(*common, self.folder / "loop", says="loop"), "seq2seq")
        os.mkfifo(self.folder / "pipe")
        thread, got = self.read_fifo(self.folder / "pipe")
        faults.run(*common, self.folder / "pipe")
        thread.join(30)
        self.assertEqual(len(got[0].splitlines()), 2)
        self.assertTrue((self.folder / "pipe").is_fifo())

    def test_closed_standard_output(self):
        process = self.start("generate", "--model", self.model, "--sources", self.sources, "--max-new", 4, "--output", "/dev/fd/77")
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 1)
        self.one_sentence(err, "generate")


class Resume(FileTest):
    """What a resumed training may differ in."""

    def begin(self, *more, method="lora"):
        self.checkpoint = self.folder / "ck"
        self.train(self.folder / "first", "--checkpoint", self.checkpoint, "--checkpoint-every", 2, *more, method=method)
        self.before = files_of(self.checkpoint)

    def differs(self, says, *more, model=None, method="lora"):
        err = self.train(self.folder / "second", "--checkpoint", self.checkpoint, "--checkpoint-every", 2, "--resume", *more, model=model, method=method, status=1)[1]
        self.assertIn(says, self.one_sentence(err, "finetune"))
        self.assertFalse((self.folder / "second").exists())
        self.assertEqual(files_of(self.checkpoint), self.before)

    def test_settings_of_lora(self):
        self.begin("--dropout", 0.1)
        self.differs("dropout 0.1; expected 0.5", "--dropout", 0.5)
        self.differs("dropout 0.1; expected 0.0")
        self.differs("alpha 16.0; expected 32.0", "--dropout", 0.1, "--alpha", 32)
        self.differs("seed 0; expected 1", "--dropout", 0.1, "--seed", 1)
        self.differs("settings.targets", "--dropout", 0.1, "--targets", "q_proj,v_proj")
        self.train(self.folder / "second", "--checkpoint", self.checkpoint, "--checkpoint-every", 1, "--resume", "--dropout", 0.1)
        self.assertEqual(files_of(self.folder / "first"), files_of(self.folder / "second"))

    def test_settings_of_others(self):
        self.begin("--init", "normal", method="prefix")
        self.differs("init \"normal\"; expected \"uniform\"", "--init", "uniform", method="prefix")
        self.differs("init_deviation 0.02; expected 0.5", "--init-deviation", 0.5, method="prefix")
        self.differs("dropout 0.0; expected 0.25", "--dropout", 0.25, method="prefix")

    def test_placement(self):
        self.begin("--placement", "pfeiffer", "--bottleneck", 8, method="adapter")
        self.differs("of another model; got parameter", "--placement", "pfeiffer", "--bottleneck", 4, method="adapter")

    def test_another_base(self):
        self.begin()
        other = self.folder / "other"
        shutil.copytree(self.model, other)
        tensors = (other / "model.safetensors").read_bytes()
        size = 8 + struct.unpack("<Q", tensors[:8])[0]
        header = json.loads(tensors[8:size])
        first, last = header["model.layers.0.mlp.down_proj.weight"]["data_offsets"]
        values = struct.unpack(f"<{(last - first) // 4}f", tensors[size + first:size + last])
        negated = struct.pack(f"<{len(values)}f", *(-value for value in values))
        (other / "model.safetensors").write_bytes(tensors[:size + first] + negated + tensors[size + last:])
        self.differs("over another base model; got weights", model=other)
        one_bit = bytearray(tensors)
        one_bit[-4] ^= 1
        (other / "model.safetensors").write_bytes(bytes(one_bit))
        self.differs("over another base model; got weights", model=other)
        (other / "model.safetensors").write_bytes(tensors)  # the same weights in another place
        self.train(self.folder / "second", "--checkpoint", self.checkpoint, "--resume", model=other)

    def test_nothing_to_resume_is_said(self):
        err = self.train(self.folder / "first", "--checkpoint", self.folder / "new", "--resume")[1]
        self.assertIn("no checkpoint in", err)


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


def as_bfloat16(model, folder):
    """The model with its matrices rounded (towards zero) to bfloat16."""
    shutil.copytree(model, folder)
    data = (folder / "model.safetensors").read_bytes()
    size = 8 + struct.unpack("<Q", data[:8])[0]
    header, out, packed = json.loads(data[8:size]), {}, b""
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        words = data[size + first:size + last]
        short = b"".join(words[i + 2:i + 4] for i in range(0, len(words), 4))
        out[name] = {"dtype": "BF16", "shape": entry["shape"], "data_offsets": [len(packed), len(packed) + len(short)]}
        packed += short
    text = json.dumps(out).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + packed)


class BaseTest(FileTest):
    def generate(self, model, adapter, *more, status=0):
        return faults.run("generate", "--model", model, "--adapter", adapter, "--prompt", "name : A", "--max-new", 4, *more, status=status)


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


class Locks(FileTest):
    """One writer at a time; a killed one holds nothing."""

    def test_second_writer(self):
        log, checkpoint, output = self.folder / "log", self.folder / "ck", self.folder / "adapter"
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", output, "--checkpoint", checkpoint,
                             "--checkpoint-every", 1000000, "--log", log)
        self.wait_for(lambda: log.exists() and log.read_text().count("\n") > 2)
        other = self.folder / "other"
        self.train(self.folder / "done", steps=1)
        line = self.one_sentence(faults.run("convert", "--adapter", self.folder / "done", "--model", self.model, "--output", output, status=1)[1], "convert")
        self.assertIn("is being written by another", line)
        for arguments, says in (((output,), str(output)), ((other, "--checkpoint", checkpoint), str(checkpoint)), ((other, "--checkpoint", checkpoint, "--resume"), str(checkpoint)),
                                ((other, "--log", log), str(log))):
            line = self.one_sentence(self.train(*arguments, status=1)[1], "finetune")
            self.assertIn("is being written by another", line)
            self.assertIn(says, line)
        process.kill()
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.train(output, "--checkpoint", checkpoint, "--log", log)
        self.no_temporaries(self.folder)

    def test_one_folder_for_checkpoints_and_adapter(self):
        self.train(self.folder / "both", "--checkpoint", self.folder / "both")
        self.assertTrue((self.folder / "both/step-00000004/manifest.xxh64").exists())
        self.assertTrue((self.folder / "both/adapter_config.json").exists())
        self.no_temporaries(self.folder)

    def test_killed_writers_leave_nothing_for_long(self):
        dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
        alive = subprocess.Popen(["sleep", "100"])
        self.addCleanup(alive.wait)
        self.addCleanup(alive.kill)
        (self.folder / f".graft-tmp-{dead}-0").write_text("half")
        (self.folder / f".graft-tmp-{dead}-1").mkdir()
        (self.folder / f".graft-tmp-{dead}-1/weights").write_text("half")
        (self.folder / ".graft-lock-gone").write_text(dead)
        kept = [self.folder / f".graft-tmp-{alive.pid}-0", self.folder / ".graft-tmp-notes", self.folder / f".graft-tmp-{dead}-0.txt"]
        for path in kept:
            path.write_text("not ours")
        faults.run("generate", "--model", self.model, "--sources", self.sources, "--max-new", 2, "--output", self.folder / "out.txt")
        self.train(self.folder / "adapter", steps=1)
        self.assertEqual(sorted(path.name for path in self.folder.glob(".graft-*")), sorted(path.name for path in kept))


class Checkpoints(FileTest):
    """--checkpoint that cannot hold checkpoints is refused before training."""

    def refuses(self, checkpoint, says, *more):
        log = self.folder / "log.jsonl"
        line = self.one_sentence(self.train(self.folder / "adapter", "--checkpoint", checkpoint, "--log", log, *more, status=1)[1], "finetune")
        self.assertIn(str(checkpoint), line)
        self.assertIn(says, line)
        self.assertFalse(log.exists() and log.read_text())
        self.assertFalse((self.folder / "adapter").exists())

    def test_refused(self):
        (self.folder / "file").write_text("mine")
        (self.folder / "loop").symlink_to("loop")
        for more in ((), ("--resume",)):
            self.refuses(self.folder / "file", "a file", *more)
            self.refuses(self.folder / "loop", "loop", *more)
            self.refuses(self.folder / "file/below", "cannot hold checkpoints", *more)
            self.refuses(self.folder / "loop/below", "cannot hold checkpoints", *more)
        self.assertEqual((self.folder / "file").read_text(), "mine")

    def test_read_only(self):
        mount = self.folder / "ro"
        mount.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", mount], capture_output=True).returncode != 0:
            said("read-only folder: mount is not permitted here")
            self.skipTest("mount is not permitted here")
        self.addCleanup(subprocess.run, ["umount", mount], capture_output=True)
        self.refuses(mount, "Read-only")
        self.refuses(mount / "below", "Read-only")
        for arguments in (("--output", mount / "adapter"), ("--output", mount)):
            err = self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, *arguments, says="Read-only")
            self.one_sentence(err, "finetune")

    def test_inspect_a_loop(self):
        (self.folder / "loop").symlink_to("loop")
        self.one_sentence(self.refused("inspect", self.folder / "loop", says="symbolic links"), "inspect")
        (self.folder / "model").mkdir()
        for name in ("config.json", "adapter_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            (self.folder / "model" / name).symlink_to(name)
        for program, *arguments in (("inspect", self.folder / "model"), ("generate", "--model", self.folder / "model", "--prompt", "a"),
                                    ("generate", "--model", self.model, "--adapter", self.folder / "model", "--prompt", "a"),
                                    ("convert", "--adapter", self.folder / "model", "--model", self.model, "--output", self.folder / "out"),
                                    ("seq2seq", "--model", self.folder / "model", "--test", self.data), ("classify", "--model", self.folder / "loop", "--train", self.data),
                                    ("compare", "--model", self.folder / "loop", "--out", self.folder / "rows")):
            err = faults.run(program, *arguments, status=1)[1]
            self.one_sentence(err, program)

    def test_names_of_a_damaged_manifest(self):
        checkpoint = self.folder / "ck"
        self.train(self.folder / "adapter", "--checkpoint", checkpoint, "--checkpoint-every", 4)
        manifest = checkpoint / "step-00000004/manifest.xxh64"
        for name in (b"\x1b[31mred\x07", b"\xff\xfe", b"a\x7fb", "\u009b2J".encode()):
            manifest.write_bytes(b"0123456789abcdef  " + name + b"\n")
            err = self.train(self.folder / "again", "--checkpoint", checkpoint, "--resume", status=1)[1]
            self.assertIn("malformed", self.one_sentence(err, "finetune"))
            self.assertIn("\\x", err)
            for raw in ("\x1b", "\x07", "\x7f", "\u009b"):
                self.assertNotIn(raw, err)


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


class Signals(FileTest):
    """SIGINT and SIGTERM end a training in order, the second at once."""

    def begin(self, *more):
        self.log, self.output = self.folder / "log.jsonl", self.folder / "adapter"
        self.log.unlink(missing_ok=True)
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", self.output, "--log", self.log, *more)
        self.wait_for(lambda: self.log.exists() and self.log.read_text().count("\n") > 2)
        return process

    def end(self, process, number):
        process.send_signal(number)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 128 + number, err)
        self.assertEqual(self.last_event(self.log)["event"], "interrupted")
        self.no_temporaries(self.folder)
        return self.one_sentence(err, "finetune")

    def test_without_checkpoint_the_adapter_is_saved(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            line = self.end(self.begin(), number)
            self.assertIn("adapter", line)
            kept = self.output if number == signal.SIGTERM else pathlib.Path(str(self.output) + ".interrupted")
            faults.run("generate", "--model", self.model, "--adapter", kept, "--prompt", "name : A", "--max-new", 2)
            if number == signal.SIGTERM:
                first = files_of(self.output)
        self.assertEqual(files_of(self.output), first)  # the second training did not replace it

    def test_with_checkpoint_it_is_gone_on_with(self):
        checkpoint = self.folder / "ck"
        line = self.end(self.begin("--checkpoint", checkpoint, "--checkpoint-every", 1000000), signal.SIGTERM)
        self.assertIn("--resume", line)
        self.assertFalse(self.output.exists())
        step = self.last_event(self.log)["step"]
        self.assertEqual([path.name for path in checkpoint.iterdir()], [f"step-{step:08}"])
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", self.output, "--log", self.log, "--checkpoint", checkpoint,
                             "--resume")
        self.wait_for(lambda: self.last_event(self.log)["step"] > step)
        self.end(process, signal.SIGINT)
        steps = [json.loads(line)["step"] for line in self.log.read_text().splitlines() if '"event":"step"' in line]
        self.assertEqual(steps, list(range(1, len(steps) + 1)))

    def test_the_second_kills_at_once(self):
        process = self.begin()
        process.send_signal(signal.SIGSTOP)
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (-signal.SIGTERM, 128 + signal.SIGTERM))  # one, where the system joins pending ones

    def test_generate_keeps_what_it_has(self):
        many = self.folder / "many.txt"
        many.write_text("name : A\n" * 5000)
        out = self.folder / "out.txt"
        process = self.start("generate", "--model", self.model, "--sources", many, "--max-new", 20, "--batch", 4, "--output", out)
        while not process.stderr.readline().startswith("4 of"):
            pass
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, err)
        lines = out.read_text().splitlines()
        self.assertGreaterEqual(len(lines), 4)
        self.assertLess(len(lines), 5000)
        self.no_temporaries(self.folder)


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
