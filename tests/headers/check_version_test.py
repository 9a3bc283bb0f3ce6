"""check_version.py reports a version that differs in any part, and none that is the same."""

from check_version import check

CMAKE = "cmake_minimum_required(VERSION 3.22)\nproject(graft VERSION 1.20.3 LANGUAGES CXX)\n"
HEADER = '#define GRAFT_VERSION_MAJOR 1\n#define GRAFT_VERSION_MINOR 20\n#define GRAFT_VERSION_PATCH 3\nversion = "1.20.3";\n'

assert list(check(CMAKE, HEADER)) == []
for old, new in (("MAJOR 1", "MAJOR 2"), ("MINOR 20", "MINOR 2"), ("PATCH 3", "PATCH 0"), ('"1.20.3"', '"1.20"'), ("#define GRAFT_VERSION_PATCH 3", "")):
    assert len(list(check(CMAKE, HEADER.replace(old, new)))) == 1, old
assert len(list(check("project(graft)", HEADER))) == 1
