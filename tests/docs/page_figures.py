"""Figures of pages: SVG files in docs/figures/, each with a title and a description, each shown by a page."""

import re
import xml.etree.ElementTree

FIGURE = re.compile(r"^!\[([^\]]*)\]\(((?:\.\./)?figures/(\S+))\)\s*$", re.M)
SVG = "{http://www.w3.org/2000/svg}"


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
    if "prefers-color-scheme" not in figure.read_text(encoding="utf-8"):
        yield f"{name}: has no colours for a dark page"


def check(root, pages):
    shown = set()
    for page in pages:
        for caption, path, name in FIGURE.findall(page.read_text(encoding="utf-8")):
            shown.add(name)
            if not caption:
                yield f"{page.relative_to(root)}: shows {path} without a caption"
            if not (page.parent / path).is_file():
                yield f"{page.relative_to(root)}: shows {path}, which does not exist"
    for figure in sorted((root / "docs" / "figures").glob("*.svg")):
        if figure.name not in shown:
            yield f"docs/figures/{figure.name}: no page shows it"
        yield from check_figure(figure, f"docs/figures/{figure.name}")
