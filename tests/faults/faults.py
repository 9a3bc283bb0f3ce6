"""What the tests of known faults share: the inputs, and the programs that run on them.

Each fault is a folder `reports/<name>` below GRAFT_FAULTS (default: ../shared/faults beside the repository) with small models and data. A file NAME_test.py
tests the faults of one kind; a further case of the kind that needs no such input builds it with tiny_model.py and runs anywhere.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "programs"))

import programs  # noqa: E402  (found through the line above)

run, run_json = programs.run, programs.run_json
ROOT = pathlib.Path(os.environ.get("GRAFT_FAULTS") or TESTS.parent.parent / "shared" / "faults")
SKIPPED = []


class FaultTest(unittest.TestCase):
    """A scratch folder of its own, and copies of a report's folder."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="graft-faults-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def report(self, name):
        """A writable copy of the report's folder; the test is skipped where the inputs are absent and GRAFT_FAULTS does not ask for them."""
        source = ROOT / "reports" / name
        if not source.is_dir():
            if os.environ.get("GRAFT_FAULTS"):
                self.fail(f"GRAFT_FAULTS names {ROOT}, which has no folder reports/{name}")
            SKIPPED.append(self.id().removeprefix("__main__."))
            self.skipTest(f"no folder {source}")
        copy = self.folder / name
        shutil.copytree(source, copy)
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        return copy

    def refused(self, name, *arguments, says, status=1):
        """The program fails with one sentence on standard error that has all of `says`; returns standard error."""
        out, err = run(name, *arguments, status=status)
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, err)
        self.assertEqual(out, "")
        return err


def main():
    try:
        programs.main()
    finally:
        for test in SKIPPED:
            print(f"[graft] skipped: {test}: no inputs at {ROOT}; name them with GRAFT_FAULTS")
