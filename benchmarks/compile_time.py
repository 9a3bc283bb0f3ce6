#!/usr/bin/env python3
"""Times the compilation of sources that use more and more of graft, and prints one JSON line each: processor seconds, the compiler's largest memory,
and the object's size.

The table of docs/compile_time.md. Each source is compiled --repeats times, the median counts. Wants a C++20 compiler, Eigen, xtensor, nlohmann-json and ICU.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

LOAD = """  auto gpt2 = graft::load_pretrained<graft::Gpt2>(argv[1]);
  auto llama = graft::load_pretrained<graft::Llama>(argv[2]);
"""
STRATEGIES = ["PrefixTuning{.length = 10}", "LoRA{.rank = 8}", "PromptTuning{.length = 10}", "BottleneckAdapter{.bottleneck = 16}"]


def logits_and_gradients(base, strategy):
    return f"""  {{
    auto model = graft::adapt({base}, graft::{strategy});
    graft::Batch batch = graft::pack({{{{.source = {{1, 2}}, .target = {{3}}, .id = 0}}}});
    graft::backward(graft::token_loss(model.scores(batch), batch.rows.targets, graft::target_weight(batch.rows.targets)));
    std::printf("%g\\n", double(model.logits(batch).value().data()[0]));
  }}
"""


def training_and_text(base, strategy):
    return f"""  {{
    auto model = graft::adapt({base}, graft::{strategy});
    graft::Trainer({{.epochs = 1}}).fit(model, data, tokenizer);
    std::puts(graft::generate(model, tokenizer, argv[3], graft::Greedy{{}}).c_str());
  }}
"""


def sources():
    """(name, body, whether with graft::compiled, optimization)"""
    files = """  auto tokenizer = graft::load_tokenizer(argv[1]);
  auto data = graft::read_examples(argv[4]);
"""
    one = logits_and_gradients("gpt2", STRATEGIES[0]), training_and_text("gpt2", STRATEGIES[0])
    every = "".join(logits_and_gradients(base, strategy) + training_and_text(base, strategy) for base in ["gpt2", "llama"] for strategy in STRATEGIES)
    yield "includes graft/graft.hpp", "", True, "-O1"
    yield "loads GPT-2 and LLaMA models", LOAD, True, "-O1"
    yield "adapts one by one strategy: loss, backward, logits", LOAD + one[0], True, "-O1"
    yield "trains it with Trainer and generates greedily", LOAD + files + one[0] + one[1], True, "-O1"
    yield "four strategies for both architectures", LOAD + files + every, True, "-O1"
    yield "adapts one by one strategy, headers alone", LOAD + one[0], False, "-O2"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--include", nargs="*", default=["/usr/include/eigen3"], help="folders of the packages' headers")
    a = parser.parse_args()
    if a.repeats < 1:
        parser.error(f"argument --repeats: got {a.repeats}; expected at least 1")
    version = subprocess.run([a.compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="graft-compile-time-") as folder:
        source, target = pathlib.Path(folder, "program.cpp"), pathlib.Path(folder, "program.o")
        for name, body, compiled, optimization in sources():
            source.write_text(f"#include <graft/graft.hpp>\n\n#include <cstdio>\n\nint main(int, [[maybe_unused]] char** argv) {{\n{body}}}\n", encoding="utf-8")
            command = [a.compiler, "-std=c++20", optimization, f"-I{root / 'include'}", *(f"-isystem{path}" for path in a.include), "-c", source, "-o", target]
            command += ["-DGRAFT_COMPILED", "-DGRAFT_COMPILED_IO", "-DGRAFT_COMPILED_TEXT"] if compiled else []
            seconds, peak = [], 0
            for _ in range(a.repeats):
                _, status, usage = os.wait4(subprocess.Popen(command).pid, 0)
                if status:
                    sys.exit(f"{name} does not compile")
                seconds.append(usage.ru_utime + usage.ru_stime)
                peak = max(peak, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
            print(json.dumps({"source": name, "compiler": version, "optimization": optimization, "compiled": compiled,
                              "processor_seconds": round(statistics.median(seconds), 1), "peak_bytes": peak, "object_bytes": target.stat().st_size}), flush=True)


if __name__ == "__main__":
    main()
