"""Code blocks of pages: what a page shows is copied from a file that is compiled or run, and is checked against it.

A block stands below a comment that says where it comes from:

    <!-- from FILE [NAME] -->   the lines between the two lines `//! [NAME]` (in a script `# [NAME]`) of FILE
    <!-- from FILE [whole file] -->
    <!-- from FILE -->          lines of FILE in their order; a line of the block that is `…` or `// …` leaves some out
"""

import re

BLOCK = re.compile(r"(<!-- from (\S+)(?: \[([^\]]+)\])? -->\n```\w*\n)(.*?)(```)", re.S)
MARKER = re.compile(r"^\s*(?://!|#) \[(.+)\]\s*$")
TEST_MACRO = re.compile(r"\b(?:EXPECT|ASSERT)_\w+\(|\bTEST(?:_F|_P)?\(")
OMISSION = re.compile(r"^\s*(?:(?://|#)\s*)?…\s*$")


def dedent(lines):
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    return [line[min(indents, default=0) :].rstrip() for line in lines]


def region(source, name):
    """The text between the two markers of a name, without its indentation and without other markers; or None."""
    lines = source.splitlines()
    at = [i for i, line in enumerate(lines) if (m := MARKER.match(line)) and m[1] == name]
    if len(at) != 2:
        return None
    inside = [line for line in lines[at[0] + 1 : at[1]] if not MARKER.match(line)]
    return "\n".join(dedent(inside)).strip("\n") + "\n"


def stripped(text):
    """Without indentation, empty lines and markers."""
    return [line.strip() for line in text.splitlines() if line.strip() and not MARKER.match(line)]


def stands_in(block, source):
    """Whether the pieces of the block, parted by lines of omission, are consecutive lines of the source, in their order."""
    pieces, piece = [], []
    for line in [*block.splitlines(), "…"]:
        if OMISSION.match(line):
            pieces.append(stripped("\n".join(piece)))
            piece = []
        else:
            piece.append(line)
    lines, at = stripped(source), 0
    for piece in filter(None, pieces):
        found = next((i for i in range(at, len(lines)) if lines[i : i + len(piece)] == piece), None)
        if found is None:
            return False
        at = found + len(piece)
    return True


def expected(block, name, source):
    """What must stand in the page, or None where the file has no such lines."""
    if name == "whole file":
        return source
    if name:
        return region(source, name)
    return block if block.strip() and stands_in(block, source) else None


def check_page(root, page, write):
    """Yields what is wrong with the blocks of one page; with `write`, puts into the page what the files say."""
    text = page.read_text(encoding="utf-8")
    wrong = []

    def refreshed(match):
        head, name, marker, block, tail = match.groups()
        if not (root / name).is_file():
            wrong.append(f"{page.relative_to(root)}: shows a block from {name}, which does not exist")
            return match[0]
        source = (root / name).read_text(encoding="utf-8")
        wanted = expected(block, marker, source)
        what = f"the block from {name}" + (f" [{marker}]" if marker else "")
        if wanted is None:
            wrong.append(f"{page.relative_to(root)}: {what} is not in that file")
            return match[0]
        if TEST_MACRO.search(wanted):
            wrong.append(f"{page.relative_to(root)}: {what} shows a test's macro; expected a program's code")
        if block != wanted and not write:
            wrong.append(f"{page.relative_to(root)}: {what} differs from that file; hint: check_pages.py --write")
        return head + wanted + tail

    new = BLOCK.sub(refreshed, text)
    if write and new != text:
        page.write_text(new, encoding="utf-8")
    for i, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*<!-- from ", line) and not any(line == m[0].split("\n")[0] for m in BLOCK.finditer(text)):
            wrong.append(f"{page.relative_to(root)}:{i}: no code block follows {line.strip()}")
    return wrong


def check_markers(root, pages):
    """Every marker in tests/docs/ is shown by some page."""
    shown = {(m[2], m[3]) for page in pages for m in BLOCK.finditer(page.read_text(encoding="utf-8"))}
    for source in sorted((root / "tests" / "docs").iterdir()):
        if source.suffix not in (".cpp", ".hpp"):
            continue
        name = source.relative_to(root).as_posix()
        found = [m[1] for line in source.read_text(encoding="utf-8").splitlines() if (m := MARKER.match(line))]
        for marker in sorted(set(found)):
            if (name, marker) not in shown:
                yield f"{name}: no page shows the lines [{marker}]"
            if found.count(marker) != 2:
                yield f"{name}: has the marker [{marker}] {found.count(marker)} times; expected 2"
