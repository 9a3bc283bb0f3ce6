"""The parts that every strategy's page has, in their order."""

import page_links

PARTS = [
    "Equation",
    "Figure",
    "Settings",
    "Parameters, operations and memory",
    "Code",
    "When it is worth it",
    "On disk",
    "Read it",
    "Test",
    "Source",
]


def check(root):
    for page in sorted((root / "docs" / "strategies").glob("*.md")):
        lines = page.read_text(encoding="utf-8").splitlines()
        headings = [m[2] for line in page_links.prose("\n".join(lines)) if (m := page_links.HEADING.match(line)) and m[1] == "##"]
        found = [heading for heading in headings if heading in PARTS]
        if found != PARTS:
            missing = [part for part in PARTS if part not in found]
            yield f"{page.relative_to(root)}: has the parts {found}; expected {PARTS} in this order" + (
                f"; missing: {missing}" if missing else ""
            )
