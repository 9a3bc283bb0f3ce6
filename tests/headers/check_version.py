"""Checks that include/graft/version.hpp says what the project's CMakeLists.txt says. usage: check_version.py [ROOT]"""

import pathlib
import re
import sys


def check(cmake, header):
    """Yields what differs; both are texts."""
    project = re.search(r"^project\(graft VERSION (\d+)\.(\d+)\.(\d+)", cmake, re.M)
    if not project:
        yield "CMakeLists.txt: has no project(graft VERSION major.minor.patch)"
        return
    for name, number in zip(("MAJOR", "MINOR", "PATCH"), project.groups()):
        got = re.search(rf"^#define GRAFT_VERSION_{name} (\d+)", header, re.M)
        if not got or got[1] != number:
            yield f"include/graft/version.hpp: has GRAFT_VERSION_{name} {got[1] if got else 'nowhere'}; expected {number}, as CMakeLists.txt has it"
    whole, got = ".".join(project.groups()), re.search(r'version = "([^"]*)"', header)
    if not got or got[1] != whole:
        yield f"include/graft/version.hpp: has the version {got[1] if got else 'nowhere'}; expected {whole}, as CMakeLists.txt has it"


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    texts = [(root / name).read_text(encoding="utf-8") for name in ("CMakeLists.txt", "include/graft/version.hpp")]
    violations = list(check(*texts))
    print("\n".join(violations) or "version: no violation")
    sys.exit(bool(violations))
