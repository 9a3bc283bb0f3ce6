"""Checks docs/operations.md against the headers: it lists every public operation, and what it says of each is true.

- Every function in include/graft/ops/ that gives a variable, and those of include/graft/autograd/ that do, has a row; every row names such a function.
- The row's header declares it, and its test calls it.
- Its devices are those of the kernels that the header calls (cmake/GraftKernels.cmake): both, unless one is the processor's alone.

usage: check_operations.py [ROOT]
"""

import pathlib
import re
import sys

ROW = re.compile(r"^\| `(\w+)(?:<\w+>)?\(")
DECLARATION = re.compile(r"\[\[nodiscard\]\]\s+(?:inline\s+)?(?:Variable|TargetScores|Columns)<[^;{()]*?>\s+(\w+)\(")
RESULTS = ("ops", "autograd")  # folders of include/graft with functions that give variables; ops/composite repeats the fused ones
COLUMNS = 7


def without_details(text):
    """Without comments and what stands in a namespace detail."""
    text = re.sub(r"//[^\n]*", "", text)
    while (found := re.search(r"\bnamespace (?:\w+::)*detail \{", text)):
        depth, at = 1, found.end()
        while at < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        text = text[: found.start()] + text[at:]
    return text


def declared(root):
    """{operation: its header, relative to include/graft}"""
    found = {}
    for folder in RESULTS:
        for header in sorted((root / "include" / "graft" / folder).glob("*.hpp")):
            text = re.sub(r"\bclass \w+ (?:final )?(?:: [^{]*)?\{.*?\n\};", "", without_details(header.read_text(encoding="utf-8")), flags=re.S)
            for name in DECLARATION.findall(text):
                if name != "record":  # what operations are made of
                    found.setdefault(name, f"{folder}/{header.name}")
    return found


def everywhere(root):
    """The kernels that every device has, some for bfloat16 alone, as the headers call them."""
    text = (root / "cmake" / "GraftKernels.cmake").read_text(encoding="utf-8")
    names = " ".join(re.findall(r"graft_kernels_(?:everywhere|bfloat16) ([\w ]+)\)", text)).split()
    return {"".join(word.capitalize() for word in name.split("_")) for name in names}


def devices(root, header, both):
    used = set(re.findall(r"\bkernels::On<[^;()]*?\bkernels::(\w+)", (root / "include" / "graft" / header).read_text(encoding="utf-8")))
    return "both" if used <= both else "processor"


def check(root):
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()
    functions, both, listed = declared(root), everywhere(root), set()
    for line in page:
        row = ROW.match(line)
        if not row:
            continue
        name, cells = row[1], [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if name in listed:
            yield f"{name} has two rows"
        listed.add(name)
        if len(cells) != COLUMNS:
            yield f"{name}: the row has {len(cells)} columns; expected {COLUMNS}"
            continue
        if name not in functions:
            yield f"{name}: no header of include/graft/{{{','.join(RESULTS)}}} declares it"
            continue
        if cells[5] != functions[name]:
            yield f"{name}: the row says {cells[5]}; {functions[name]} declares it"
        if cells[4] != devices(root, functions[name], both):
            yield f"{name}: the row says devices {cells[4]}; its kernels are of: {devices(root, functions[name], both)}"
        test = root / cells[6]
        if not test.is_file() or not re.search(rf"\b{name}(?:<\w+(?:, \w+)?>)?\(", test.read_text(encoding="utf-8")):
            yield f"{name}: {cells[6]} is not there, or does not call it"
    for name in sorted(functions.keys() - listed):
        yield f"{name} of include/graft/{functions[name]} has no row"


if __name__ == "__main__":
    violations = [f"docs/operations.md: {violation}" for violation in check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())]
    print("\n".join(violations) or "operations: no violation")
    sys.exit(bool(violations))
