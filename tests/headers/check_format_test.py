"""What check_format.py must find, and what it must let stand."""

import os
import pathlib
import stat
import sys
import tempfile

import check_format

LONG = "x" * 121
RIGHT = ["x" * 120, "/// | " + LONG, f'auto a = R"(\n{LONG}\n{LONG})";', f'auto a = R"json({LONG})json";', f'f("\\x01{LONG}");', "é" * 120]
WRONG = [(LONG, [1]), ("// " + LONG, [1]), (f'R"(a)";\n{LONG}', [2]), (f'auto a = R"(\n)";\n\n{LONG}', [4]), (f'f("{LONG}");', [1])]

for text in RIGHT:
    assert not list(check_format.too_long(text)), text
for text, lines in WRONG:
    assert list(check_format.too_long(text)) == lines, (text, list(check_format.too_long(text)))

with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    (root / "a.cpp").write_text("int  a;\n", encoding="utf-8")
    (root / "b.txt").write_text(LONG, encoding="utf-8")
    os.environ.pop("GRAFT_CLANG_FORMAT", None)
    assert check_format.formatter(root) is None
    assert not list(check_format.check(root, None))
    other = root / "other"
    other.write_text("#!/bin/sh\necho clang-format version 3.0.0\n", encoding="utf-8")
    other.chmod(other.stat().st_mode | stat.S_IXUSR)
    os.environ["GRAFT_CLANG_FORMAT"] = str(other)
    try:
        check_format.formatter(root)
        sys.exit("another version was taken")
    except SystemExit as refused:
        assert "expected one" in str(refused), refused
    os.environ.pop("GRAFT_CLANG_FORMAT")
    mine = check_format.formatter(pathlib.Path(__file__).resolve().parents[2])
    if mine:
        (root / ".clang-format").write_text("BasedOnStyle: Google\n", encoding="utf-8")
        assert len(list(check_format.check(root, mine))) == 1
print("check_format: as expected")
