"""Checks what Doxygen does not: the README and the pages of docs/.

- A page's code stands in a file that is compiled or run (page_blocks.py); with --write the pages take it from there.
- Pages are plain Markdown; their links and the files that they name exist (page_links.py).
- Figures are SVG files that say what they show (page_figures.py).
- A strategy's page has the parts that a reader looks for (page_parts.py).

usage: check_pages.py [--write] [ROOT]
"""

import pathlib
import sys

import page_blocks
import page_figures
import page_links
import page_parts


def check(root, write):
    pages = sorted((root / "docs").rglob("*.md"))
    all_pages = [root / "README.md", *pages]
    for page in all_pages:
        yield from page_blocks.check_page(root, page, write)
        yield from page_links.check_page(root, page)
    yield from page_blocks.check_markers(root, all_pages)
    yield from page_links.check_tree(root, pages)
    yield from page_figures.check(root, pages)
    yield from page_parts.check(root)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    violations = list(check(root, "--write" in sys.argv[1:]))
    print("\n".join(violations) or "pages: no violation")
    sys.exit(bool(violations))
