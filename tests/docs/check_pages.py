"""Checks what Doxygen does not: the README, and what the pages name.

- A code block of README.md after a comment <!-- from FILE --> stands in FILE, line by line.
- Relative links of README.md lead somewhere.
- Files that README.md and the pages of docs/ name (tests/…, examples/…, benchmarks/…, cmake/…, include/…) exist.
- Every marker that a page takes a snippet from stands twice in its file, and every marker in tests/docs/ is shown somewhere.
- A page's figures stand in docs/figures/ and every figure there is shown; each is an SVG with a title and a description that it names.

usage: check_pages.py [ROOT]
"""

import pathlib
import re
import sys
import xml.etree.ElementTree

BLOCK = re.compile(r"<!-- from (\S+) -->\s*```\w*\n(.*?)```", re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NAMED = re.compile(r"(?<![\w/.])((?:tests|examples|benchmarks|cmake|include)/[\w./-]*\w)")
SNIPPET = re.compile(r"^\\snippet (\S+) (.+)$", re.M)
FIGURE = re.compile(r"^\\image html (\S+)", re.M)
SVG = "{http://www.w3.org/2000/svg}"
MARKER = re.compile(r"^\s*//! \[(.+)\]\s*$", re.M)


def lines(text):
    """Without heading comments, indentation and empty lines."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def check_readme(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    if not blocks:
        yield "README.md: no code block says where it comes from"
    for name, block in blocks:
        source = "\n".join(lines((root / name).read_text(encoding="utf-8")))
        if "\n".join(lines(block)) not in source:
            yield f"README.md: the code block from {name} is not in that file"
    for link in LINK.findall(text):
        if not (root / link).exists():
            yield f"README.md: links to {link}, which does not exist"


def check_named(root, page):
    for name in NAMED.findall(page.read_text(encoding="utf-8")):
        built = name.startswith("build/")
        if not built and not (root / name).exists() and not list(root.glob(name + ".*")):
            yield f"{page.relative_to(root)}: names {name}, which does not exist"


def check_snippets(root, pages):
    shown = set()
    for page in pages:
        for name, marker in SNIPPET.findall(page.read_text(encoding="utf-8")):
            shown.add((name, marker))
            source = root / "tests" / name
            count = MARKER.findall(source.read_text(encoding="utf-8")).count(marker) if source.exists() else 0
            if count != 2:
                yield f"{page.relative_to(root)}: wants the snippet {marker} of tests/{name}, which has that marker {count} times; expected 2"
    for source in sorted((root / "tests" / "docs").iterdir()):
        for marker in sorted(set(MARKER.findall(source.read_text(encoding="utf-8")))) if source.suffix in (".cpp", ".hpp") else []:
            if (f"docs/{source.name}", marker) not in shown:
                yield f"tests/docs/{source.name}: no page shows the snippet {marker}"


def check_figure(figure, name):
    try:
        svg = xml.etree.ElementTree.parse(figure).getroot()
    except xml.etree.ElementTree.ParseError as error:
        yield f"{name}: is no XML: {error}"
        return
    labels = (svg.get("aria-labelledby") or "").split()
    for tag in ("title", "desc"):
        element = svg.find(SVG + tag)
        if element is None or not (element.text or "").strip():
            yield f"{name}: has no {tag}"
        elif element.get("id") not in labels:
            yield f"{name}: its aria-labelledby does not name its {tag}"


def check_figures(root, pages):
    shown = {}
    for page in pages:
        for name in FIGURE.findall(page.read_text(encoding="utf-8")):
            shown.setdefault(name, page)
    for name, page in shown.items():
        if not (root / "docs" / "figures" / name).is_file():
            yield f"{page.relative_to(root)}: shows docs/figures/{name}, which does not exist"
    for figure in sorted((root / "docs" / "figures").iterdir()):
        if figure.name not in shown:
            yield f"docs/figures/{figure.name}: no page shows it"
        yield from check_figure(figure, f"docs/figures/{figure.name}")


def check(root):
    pages = sorted((root / "docs").rglob("*.md"))
    named = (line for page in [root / "README.md", *pages] for line in check_named(root, page))
    return [*check_readme(root), *check_snippets(root, pages), *check_figures(root, pages), *named]


if __name__ == "__main__":
    violations = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(violations) or "pages: no violation")
    sys.exit(bool(violations))
