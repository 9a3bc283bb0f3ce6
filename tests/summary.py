"""Prints passed, failed and skipped tests per label, and why tests were skipped, from ctest's reports.

usage: summary.py JUNIT.xml TESTS.json    (ctest --output-junit and --show-only=json-v1; only the latter knows the labels)
Exit status 1 where a test failed.

A test program says on lines that start with [graft] how many of its tests passed (see tests/support/main.cpp); any other counts as one.
"""

import collections
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

COUNTS = re.compile(r"^\[graft\] (\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
SKIPPED = re.compile(r"^\[graft\] skipped:? ?(?:(\S+): )?(.+)$", re.M)


def outcome(case):
    """(passed, failed, skipped, [(test, why)…]) of one ctest test."""
    output = case.findtext("system-out") or ""
    status = case.get("status")
    reasons = [(name or case.get("name"), why) for name, why in SKIPPED.findall(output)]
    counts = COUNTS.search(output)
    if counts:
        passed, failed, skipped = map(int, counts.groups())
        return passed, max(failed, int(status == "fail")), skipped, reasons
    if status == "run":
        return 1, 0, 0, reasons
    if status == "fail":
        return 0, 1, 0, reasons
    skipped = case.find("skipped")
    return 0, 0, 1, reasons or [(case.get("name"), (skipped.get("message") if skipped is not None else "") or "not run")]


def labels_by_test(tests):
    """{test: labels} of what `ctest --show-only=json-v1` printed."""
    with open(tests, encoding="utf-8") as file:
        listed = json.load(file)["tests"]
    return {test["name"]: next((p["value"] for p in test["properties"] if p["name"] == "LABELS"), []) for test in listed}


def main(report, tests):
    labels = labels_by_test(tests)
    table = collections.defaultdict(lambda: [0, 0, 0, 0.0])
    failed, whys = [], collections.defaultdict(list)
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        *numbers, reasons = outcome(case)
        if numbers[1]:
            failed.append(case.get("name"))
        for label in labels.get(case.get("name"), []):
            table[label] = [a + b for a, b in zip(table[label], [*numbers, float(case.get("time") or 0)])]
        for test, why in reasons:
            whys[(case.get("name"), why)].append(test)
    print(f"\n{'label':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for label, (passed, bad, skipped, seconds) in sorted(table.items()):
        print(f"{label:<12}{passed:>8}{bad:>8}{skipped:>9}{seconds:>9.1f}")
    if whys:
        print("\nskipped:")
    for (program, why), tests in sorted(whys.items()):
        print(f"  {program} ({len(tests)}): {why}")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
