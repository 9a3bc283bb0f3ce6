#!/usr/bin/env python3
"""Compares plain Release, whose kernels are chosen at run time, with builds for one processor level; prints JSON lines.

Builds benchmarks/processor_levels.cpp as a project of its own would: once with plain Release, and once for each level with its flag (-march=x86-64-v3,
or -march=native). Then runs both in turn, plain Release with the environment variable GRAFT_CPU at that level, and prints each run. The last lines
give, for each level, the median of the pairs' ratios: tokens/s of plain Release over those of the build with the flag, by the clock and by processor time.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

PROJECT = """cmake_minimum_required(VERSION 3.22)
project(processor_levels LANGUAGES CXX)
add_subdirectory({root} graft EXCLUDE_FROM_ALL)
add_executable(processor_levels {root}/benchmarks/processor_levels.cpp)
target_include_directories(processor_levels PRIVATE {root}/benchmarks)
target_link_libraries(processor_levels PRIVATE graft::compiled graft::io graft::text)
"""
WORK = ("training", "generation", "generation_of_8")
RATES = ("tokens_per_s", "tokens_per_processor_s")


def build(root, folder, name, flags, jobs):
    """The program, built with `flags` after CMake's own of Release."""
    source = folder / "project"
    source.mkdir(parents=True, exist_ok=True)
    text = PROJECT.format(root=root)
    file = source / "CMakeLists.txt"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    target = folder / name
    configure = ["cmake", "-S", source, "-B", target, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_FLAGS={flags}", "-DGRAFT_CUDA=OFF"]
    for command in (configure, ["cmake", "--build", target, "-j", str(jobs), "--target", "processor_levels"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name}: {' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return target / "processor_levels"


def run(program, model, runs, threads, level):
    environment = {name: value for name, value in os.environ.items() if name != "GRAFT_CPU"}
    if level:
        environment["GRAFT_CPU"] = level
    if threads:
        environment["GRAFT_NUM_THREADS"] = str(threads)
    done = subprocess.run([program, model, str(runs)], env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{program}: exit status {done.returncode}")
    return json.loads(done.stdout)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a LLaMA model: a GGUF file or a Hugging Face folder")
    parser.add_argument("--levels", nargs="+", default=["v2", "v3", "v4"], choices=["v2", "v3", "v4", "native"],
                        help="native compares the highest level with -march=native")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3, help="of each program, the best counts")
    parser.add_argument("--threads", type=int, default=0, help="0: one for each processor")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at once")
    parser.add_argument("--build", type=pathlib.Path, default=root / "build" / "levels", help="folder for the builds")
    a = parser.parse_args()
    for name in ("pairs", "runs", "jobs"):
        if getattr(a, name) < 1:
            parser.error(f"argument --{name}: got {getattr(a, name)}; expected at least 1")
    plain = build(root, a.build.resolve(), "plain", "", a.jobs)
    highest = {"x86-64-v4": "v4", "x86-64-v3": "v3"}.get(run(plain, a.model, 1, a.threads, None)["level"], "v2")
    ratios = {}
    for level in a.levels:
        if level != "native" and level > highest:
            print(f"left out: this processor is no x86-64-{level}", file=sys.stderr)
            continue
        flag = "-march=native" if level == "native" else f"-march=x86-64-{level}"
        special = build(root, a.build.resolve(), level, flag, a.jobs)
        for _ in range(a.pairs):
            chosen = run(plain, a.model, a.runs, a.threads, None if level == "native" else level)
            flagged = run(special, a.model, a.runs, a.threads, None)
            print(json.dumps({"build": "plain", **chosen}), flush=True)
            print(json.dumps({"build": flag, **flagged}), flush=True)
            for work in WORK:
                for rate in RATES:
                    ratios.setdefault((level, work, rate), []).append(chosen[work][rate] / flagged[work][rate])
    for (level, work, rate), values in ratios.items():
        print(json.dumps({"level": level, "work": work, "rate": rate, "ratio": round(statistics.median(values), 3), "pairs": len(values)}))


if __name__ == "__main__":
    main()
