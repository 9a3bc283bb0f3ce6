#!/usr/bin/env python3
"""Reads the JSON lines of classification.py and classification_peer.py (files, or standard input) and prints their table: mean ± standard deviation over seeds."""

import collections
import fileinput
import json
import statistics


def cell(runs, key, digits, factor=1):
    values = [factor * run[key] for run in runs]
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread} ({len(values)})"


def main():
    runs = collections.defaultdict(dict)
    for line in fileinput.input(encoding="utf-8"):
        run = json.loads(line)
        if run["split"] == "validation":
            runs[run["task"], run["method"], run["lr"]].setdefault(run["system"], {})[run["seed"]] = run
    print("| task | method | rate | trainable | graft | transformers + PEFT | seconds | peer's seconds |\n|-|-|-:|-:|-:|-:|-:|-:|")
    for (task, method, rate), systems in sorted(runs.items()):
        key, digits, factor = ("accuracy", 1, 100) if task == "sst2" else ("matthews", 3, 1)
        graft, peer = (list(systems.get(name, {}).values()) for name in ["graft", "transformers+peft"])
        score = lambda some: cell(some, key, digits, factor) if some else "–"
        seconds = lambda some: f"{statistics.mean(run['processor_seconds'] for run in some):.0f}" if some else "–"
        print(f"| {task} | {method} | {rate:g} | {(graft or peer)[0]['trainable']:,} | {score(graft)} | {score(peer)} | {seconds(graft)} | {seconds(peer)} |")


if __name__ == "__main__":
    main()
