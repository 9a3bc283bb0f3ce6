"""What the tests of written files share: a tiny model, data, and a look at what a program left."""

import atexit
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

import faults
import programs
import tiny_model


def said(text):
    """Reports at the end what a test left out."""
    atexit.register(print, f"[graft] skipped: {text}")


def files_of(folder):
    """Contents of all files below a folder, by relative name."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


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

    def mounted(self, mode):
        """A small file system of the test's own, in memory; the test is skipped where that is not permitted."""
        mount = self.folder / f"mounted-{mode}"
        mount.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", mode, "tmpfs", mount], capture_output=True).returncode != 0:
            said(f"{self.id()}: mount is not permitted here")
            self.skipTest("mount is not permitted here")
        self.addCleanup(subprocess.run, ["umount", mount], capture_output=True)
        return mount

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


class BaseTest(FileTest):
    """Adapters read over one base or another."""

    def generate(self, model, adapter, *more, status=0):
        return faults.run("generate", "--model", model, "--adapter", adapter, "--prompt", "name : A", "--max-new", 4, *more, status=status)
