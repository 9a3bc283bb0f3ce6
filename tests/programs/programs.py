"""What the tests of the programs share: where the programs are, how they are run, and a folder with a tiny model and data."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import tiny_model

NAMES = ("finetune", "generate", "score", "inspect", "convert", "compare", "seq2seq", "classify", "explain")
PATHS = {}


def run(name, *arguments, status=0):
    """Runs a program and checks its exit status; returns (standard output, standard error)."""
    environment = {**os.environ, "GRAFT_NUM_THREADS": "2"}
    done = subprocess.run([PATHS[name], *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", timeout=240, env=environment)
    assert done.returncode == status, f"{name} {arguments}: exit status {done.returncode}, expected {status}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def run_json(name, *arguments):
    """The one JSON value that a program prints with --json."""
    return json.loads(run(name, *arguments, "--json")[0])


class ProgramTest(unittest.TestCase):
    """Every class of tests has a folder of its own with a tiny LLaMA model in `model` and a few examples in `data.txt`."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="graft-programs-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.model = cls.folder / "model"
        tiny_model.write_llama(cls.model)
        cls.data = cls.write("data.txt", "".join(f"name : N{i} | type : {kind} || N{i} is a {kind}.\n" for i in range(12) for kind in ("pub", "bar")))

    @classmethod
    def write(cls, name, text):
        path = cls.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    def refused(self, name, *arguments, says):
        """The program fails with one sentence on standard error that begins with its name and has all of `says`."""
        out, err = run(name, *arguments, status=1)
        last = err.rstrip("\n").split("\n")[-1]
        self.assertTrue(last.startswith(name.removesuffix("-emulated") + ": ["), last)
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, last)
        self.assertEqual(out, "")


def main():
    parser = argparse.ArgumentParser()
    for name in NAMES:
        parser.add_argument("--" + name, required=True)
    arguments, rest = parser.parse_known_args()
    PATHS.update(vars(arguments))
    unittest.main(argv=[sys.argv[0], *rest])
