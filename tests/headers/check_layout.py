"""Checks the sources without compiling them: include direction, third-party headers, file lengths, top-level entries.

usage: check_layout.py [ROOT]    prints one line a violation; exit status 1 where there is any
"""

import pathlib
import re
import subprocess
import sys

import layers

TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "include", "examples", "tests", "benchmarks", "docs", "cmake", "README.md", "LICENSE",
             "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
MAXIMUM_LINES = {"tests": 800, "": 500}
SOURCE_SUFFIXES = {".hpp", ".cuh", ".cu", ".cpp", ".py", ".sh", ".cmake", ".js", ".css", ".html"}
DIRECTIVE = re.compile(r"^\s*#\s*(include|if|ifdef|ifndef|elif|else|endif)\b\s*(.*)")
INCLUDE = re.compile(r'([<"])([^>"]+)[>"]')


def includes(text):
    """Yields (line number, bracket, header, whether it stands where GRAFT_COMPILED is not defined)."""
    conditions = []
    for number, line in enumerate(text.splitlines(), 1):
        directive = DIRECTIVE.match(line)
        if not directive:
            continue
        kind, rest = directive.groups()
        if kind in ("if", "ifdef", "ifndef"):
            conditions.append(bool(re.search(r"!\s*defined\s*\(?\s*GRAFT_COMPILED", rest)) or (kind == "ifndef" and rest.split()[0].startswith("GRAFT_COMPILED")))
        elif kind in ("elif", "else"):
            conditions[-1] = False
        elif kind == "endif":
            conditions.pop()
        elif found := INCLUDE.match(rest):
            yield number, found[1], found[2], any(conditions)


def complaint(header, bracket, included, headers_only):
    """Why `header` (relative to include/graft) may not include `included`, or None."""
    folder = layers.folder_of(header)
    if bracket == '"':
        return f'includes "{included}"; expected <graft/…> or <…>'
    if folder is not None and folder not in layers.LAYER:
        return f"stands in the folder {folder}, which is not in the table of layers.py"
    if not included.startswith("graft/"):
        if folder is None or "/" not in included and "." not in included or included.startswith(layers.SYSTEM):
            return None
        allowed = layers.THIRD_PARTY[folder]
        return None if included.startswith(tuple(allowed)) else f"includes <{included}>; {folder}/ may include {allowed or 'no third-party header'}"
    target = layers.folder_of(included.removeprefix("graft/"))
    if folder is None or target == folder:
        return None
    if target not in layers.LAYER or layers.LAYER[target] > layers.LAYER[folder]:
        return f"includes <{included}>; {folder}/ may include only the layers below it"
    if layers.LAYER[target] < layers.LAYER[folder]:
        return f"includes <{included}>, an implementation; include the declaration" if "/" in target else None
    if folder.startswith(target + "/"):
        return None  # kernels/cpu/x.hpp includes the declarations of kernels/x.hpp
    if target == "kernels/cpu" and folder == "kernels":
        return None if headers_only else f"includes <{included}> also where GRAFT_COMPILED is defined"
    return f"includes <{included}>; {folder}/ and {target}/ do not include each other"


def check_includes(root):
    base = root / "include" / "graft"
    kernels = root / "cmake/GraftKernels.cmake"
    listed = re.findall(r"PROPERTY graft_kernels_\w+ ([\w ]+)\)", kernels.read_text(encoding="utf-8")) if kernels.exists() else []
    instantiated = {name for names in listed for name in names.split()}
    sources = (root / "cmake/compiled").rglob("*.cpp")
    compiled = {included for source in sources for _, _, included, _ in includes(source.read_text(encoding="utf-8"))}
    for path in sorted([*base.rglob("*.hpp"), *base.rglob("*.cuh")]):
        header = path.relative_to(base).as_posix()
        text = path.read_text(encoding="utf-8")
        if not re.search(r"^#pragma once$", text, re.M):
            yield f"include/graft/{header}: no #pragma once"
        for number, bracket, included, headers_only in includes(text):
            if why := complaint(header, bracket, included, headers_only):
                yield f"include/graft/{header}:{number}: {why}"
            elif not (base.parent / included).exists() and included.startswith("graft/"):
                yield f"include/graft/{header}:{number}: includes <{included}>, which does not exist"
            elif header == "kernels/" + path.name and headers_only and path.stem not in instantiated:
                yield f"include/graft/{header}:{number}: is hidden from users of graft::compiled, but cmake/GraftKernels.cmake does not list {path.stem}"
            elif headers_only and not header.startswith("kernels/") and included not in compiled:
                yield f"include/graft/{header}:{number}: <{included}> is hidden from users of graft::compiled, but no source of cmake/compiled includes it"


def check_light(root):
    """A header of layers.LIGHT reads nothing but the folders that are named there."""
    base = root / "include"
    for light, folders in layers.LIGHT.items():
        waiting, seen = ["graft/" + light], set()
        while waiting:
            header = waiting.pop()
            if header in seen or not (base / header).exists():
                continue
            seen.add(header)
            if layers.folder_of(header.removeprefix("graft/")) not in folders:
                yield f"include/graft/{light}: reads <{header}>; expected the folders {', '.join(folders)} only"
                break
            waiting += [included for _, _, included, _ in includes((base / header).read_text(encoding="utf-8"))]


def tracked(root):
    """The files that git keeps, or, where this is no git checkout, those that are no build products."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return [name for name in listing.stdout.splitlines() if (root / name).exists()]
    produced = ("build/", "comparison/", ".git/", ".cache/")
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return [name for name in names if not name.startswith(produced)]


def check_lengths(root, names):
    for name in names:
        path = root / name
        if path.suffix not in SOURCE_SUFFIXES and path.name != "CMakeLists.txt":
            continue
        maximum = MAXIMUM_LINES.get(name.split("/")[0], MAXIMUM_LINES[""])
        lines = path.read_text(encoding="utf-8", errors="replace").count("\n")
        if lines > maximum:
            yield f"{name}: {lines} lines; expected at most {maximum}"


def check_top_level(names):
    for entry in sorted({name.split("/")[0] for name in names}):
        if entry not in TOP_LEVEL and not entry.startswith("."):
            yield f"{entry}: not an agreed top-level entry"


def check(root):
    names = tracked(root)
    return [*check_includes(root), *check_light(root), *check_lengths(root, names), *check_top_level(names)]


if __name__ == "__main__":
    violations = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(violations) or "layout: no violation")
    sys.exit(bool(violations))
