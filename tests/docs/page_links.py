"""Links of pages: plain Markdown, as a forge shows it, and every link leads somewhere."""

import re

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:)([^)\s]*)\)")
HEADING = re.compile(r"^(#+) (.*?)\s*$")
NAMED = re.compile(r"(?<![\w/.])((?:tests|examples|benchmarks|cmake|include)/[\w./-]*\w)")
COMMAND = re.compile(r"^\\\w+|\\(?:ref|subpage|snippet|include|image|anchor)\b|^#.*\{#\w+\}")


def slug(title):
    """The anchor that GitHub and GitLab give a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def prose(text):
    """Line by line, those of code blocks emptied and code in a line taken out."""
    code = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            code = not code
            yield ""
        else:
            yield "" if code or line.startswith("    ") else line


def anchors(page):
    return {slug(m[2]) for line in prose(page.read_text(encoding="utf-8")) if (m := HEADING.match(line))}


def check_page(root, page):
    name = page.relative_to(root)
    text = page.read_text(encoding="utf-8")
    for number, line in enumerate(prose(text), 1):
        plain = re.sub(r"`[^`]*`", "", line)
        if COMMAND.search(plain):
            yield f"{name}:{number}: has a command of Doxygen; expected plain Markdown, which docs/doxygen/pages.py translates"
        for link in LINK.findall(plain):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists():
                yield f"{name}:{number}: links to {link}, which does not exist"
            elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                yield f"{name}:{number}: links to {link}; the page has no such heading"
    for file in NAMED.findall(text):
        if not (root / file).exists() and not list(root.glob(file + ".*")):
            yield f"{name}: names {file}, which does not exist"


def check_tree(root, pages):
    """Every page of docs/ is linked from docs/start.md or docs/strategies.md, which Doxygen makes its tree of."""
    linked = set()
    for index in (root / "docs" / "start.md", root / "docs" / "strategies.md"):
        for line in prose(index.read_text(encoding="utf-8")):
            linked |= {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(line)}
    for page in pages:
        if page.resolve() not in linked and page.name not in ("start.md", "strategies.md"):
            yield f"{page.relative_to(root)}: is linked from neither docs/start.md nor docs/strategies.md"
