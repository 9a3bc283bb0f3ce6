"""Checks that the C++ sources are formatted: no line over 120 characters, and nothing that clang-format would change.

usage: check_format.py [ROOT]    prints one line a file; exit status 1 where there is any

clang-format is $GRAFT_CLANG_FORMAT, else build/tools/clang-format, which tests/run.sh fetches. Other versions break lines in
other places, so without this one only the lengths are checked.
"""

import os
import pathlib
import re
import subprocess
import sys

import check_layout

LONGEST = 120
VERSION = "19.1"
SUFFIXES = {".hpp", ".cuh", ".cu", ".cpp"}


def too_long(text):
    """Numbers of the lines that are too long, but for rows of tables in comments and what stands in a literal of several lines or
    cannot be broken."""
    literal = False
    for number, line in enumerate(text.splitlines(), 1):
        inside = literal
        begun, ended = len(re.findall(r'R"\w*\(', line)), len(re.findall(r'\)\w*"', line))
        literal = (literal or begun > 0) and not (ended > 0 and (inside or ended >= begun))
        excused = inside or begun > 0 or re.match(r"\s*//[/!]? ?\|", line) or re.match(r'\s*[\w:({]*"[^"]*\\x', line)
        if len(line) > LONGEST and not excused:
            yield number


def formatter(root):
    """The clang-format to use, or None."""
    named = os.environ.get("GRAFT_CLANG_FORMAT")
    program = pathlib.Path(named) if named else root / "build/tools/clang-format"
    try:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        version = ""
    if f"version {VERSION}" in version:
        return program
    if named:
        raise SystemExit(f"GRAFT_CLANG_FORMAT: got {named!r}, which is no clang-format {VERSION}; expected one, or the variable unset")
    return None


def check(root, program):
    names = [name for name in check_layout.tracked(root) if pathlib.Path(name).suffix in SUFFIXES]
    for name in names:
        for number in too_long((root / name).read_text(encoding="utf-8", errors="replace")):
            yield f"{name}:{number}: more than {LONGEST} characters"
    if program:
        for first in range(0, len(names), 100):
            run = subprocess.run([program, "--dry-run", *names[first:first + 100]], cwd=root, capture_output=True, text=True, check=False)
            places = {line.split(": warning:")[0].rsplit(":", 1)[0] for line in run.stderr.splitlines() if "-Wclang-format-violations" in line}
            if run.returncode != 0:
                yield f"{program}: {run.stderr.strip()}"
            yield from (f"{place}: clang-format would change it; run {program} -i on the file" for place in sorted(places))


if __name__ == "__main__":
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = formatter(top)
    violations = list(check(top, found))
    print("\n".join(violations) or ("format: no violation" if found else f"format: no line too long; no clang-format {VERSION} here"))
    sys.exit(bool(violations))
