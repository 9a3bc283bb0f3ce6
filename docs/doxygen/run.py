"""Translates pages and headers for Doxygen and runs it. usage: run.py DOXYGEN DOXYFILE ROOT OUT

The translated copies lie in OUT/input, line for line as the originals; messages name the originals.
"""

import pathlib
import shutil
import subprocess
import sys

import headers
import pages


def copy(root, out):
    """Translates all input; returns the entries of names.txt that were used."""
    used = set()
    for folder, suffixes in (("docs", (".md",)), ("docs/doxygen", (".dox",)), ("include", (".hpp",))):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in suffixes or not path.is_file():
                continue
            text = path.read_text(encoding="utf-8")
            to = out / path.relative_to(root)
            to.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".hpp":
                text = headers.translate(path, text, used)
            elif path.suffix == ".md":
                text = pages.translate(path, text)
            to.write_text(text, encoding="utf-8")
    return used


def main(doxygen, doxyfile, root, out):
    root, out = pathlib.Path(root).resolve(), pathlib.Path(out).resolve()
    copies = out / "input"
    shutil.rmtree(copies, ignore_errors=True)
    shutil.rmtree(out / "html", ignore_errors=True)  # no page of an earlier run
    used = copy(root, copies)
    result = subprocess.run([doxygen, doxyfile], capture_output=True, text=True)
    said = (result.stdout + result.stderr).replace(str(copies), str(root))
    print(said, end="")
    unused = headers.unused(used)
    for name in unused:
        print(f"docs/doxygen/names.txt: no header has an undocumented {name}")
    return 1 if result.returncode or unused else 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
