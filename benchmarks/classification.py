#!/usr/bin/env python3
"""Adapts a small BERT (all-MiniLM-L6-v2) to SST-2 or CoLA with graft's program classify, and prints one JSON line a run.

DATA: SST-2's folder (train.tsv and dev.tsv: text, class) or CoLA's (in_domain_train.tsv, in_domain_dev.tsv, out_of_domain_dev.tsv; both dev files are scored
together). Training: the first 1,600 rows of SST-2's training file shuffled with a fixed seed, once, or 7,551 of CoLA's, twice or six times (EPOCHS); the next 1,000 (CoLA's last) are
for tuning learning rates (--split tuning).
Batch 16, at most 64 tokens, no dropout, AdamW, weight decay 0.01, linear schedule with a tenth of warm-up, clip 1.0; 20 virtual tokens, LoRA of rank 8 on query and value.
"""

import argparse
import json
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

TASKS = ["sst2", "cola"]
ROWS = {"sst2": 1600, "cola": 7551}
METHODS = ["prefix", "lora", "bitfit", "full", "head"]
# On CoLA, P-tuning v2 and BitFit have hardly left the larger class after two passes.
EPOCHS = {"sst2": dict.fromkeys(METHODS, 1), "cola": {"prefix": 6, "lora": 2, "bitfit": 6, "full": 2, "head": 2}}
BATCH, MAX_LENGTH, LENGTH, WARMUP, WEIGHT_DECAY, CLIP = 16, 64, 20, 0.1, 0.01, 1.0
# The best of one to three rates on the tuning rows with seed 0; the same for both systems.
LEARNING_RATES = {"sst2": {"prefix": 3e-2, "lora": 3e-3, "bitfit": 3e-3, "full": 1e-4, "head": 5e-2},
                  "cola": {"prefix": 1e-2, "lora": 1e-3, "bitfit": 2e-3, "full": 1e-4, "head": 5e-2}}


def arguments(description):
    """What this script and classification_peer.py share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("data", type=pathlib.Path, help="folder of the task's TSV files")
    parser.add_argument("--model", type=pathlib.Path, required=True, help="Hugging Face folder of a BERT with its tokenizer")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--learning-rates", type=float, nargs="+", help="default: the tuned one of each method")
    parser.add_argument("--split", choices=["tuning", "validation"], default="validation", help="rows to score")
    return parser


def read_columns(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n").split("\t") for line in file if line.strip()]


def read_rows(task, data):
    """Training, tuning and validation rows: (text, class)."""
    if task == "sst2":
        training, validation = ([(text.strip(), int(label)) for text, label in read_columns(data / name)] for name in ["train.tsv", "dev.tsv"])
    else:
        read = lambda name: [(columns[3].strip(), int(columns[1])) for columns in read_columns(data / name)]
        training, validation = read("in_domain_train.tsv"), read("in_domain_dev.tsv") + read("out_of_domain_dev.tsv")
    random.Random(0).shuffle(training)
    rows = ROWS[task]
    return training[:rows], training[rows : rows + 1000], validation


def write_tsv(path, rows):
    path.write_text("".join(f"{text}\t{label}\n" for text, label in rows), encoding="utf-8")


def run(a, folder, method, rate, seed):
    command = [a.programs / "classify", "--model", a.model, "--train", folder / "train.tsv", "--test", folder / "score.tsv", "--max-length", MAX_LENGTH, "--json"]
    command += ["--method", method, "--epochs", EPOCHS[a.task][method], "--batch", BATCH, "--learning-rate", rate, "--seed", seed]
    command += ["--warmup", WARMUP, "--weight-decay", WEIGHT_DECAY, "--clip", CLIP]
    command += ["--length", LENGTH, "--init-deviation", 1] if method == "prefix" else []  # PEFT's deviation
    command += ["--rank", 8, "--alpha", 16] if method == "lora" else []
    command += a.options
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(done.stdout) | {"processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def main():
    parser = arguments(__doc__)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="further options of classify, last")
    a = parser.parse_args()
    training, tuning, validation = read_rows(a.task, a.data)
    with tempfile.TemporaryDirectory(prefix="graft-classification-") as name:
        folder = pathlib.Path(name)
        write_tsv(folder / "train.tsv", training)
        write_tsv(folder / "score.tsv", tuning if a.split == "tuning" else validation)
        for method in a.methods:
            for rate in a.learning_rates or [LEARNING_RATES[a.task][method]]:
                for seed in a.seeds:
                    result = run(a, folder, method, rate, seed)
                    print(json.dumps({"system": "graft", "task": a.task, "method": method, "lr": rate, "seed": seed, "split": a.split, "rows": result["training_rows"],
                                      "steps": result["steps"], "scored": result["test_rows"], "accuracy": round(result["test_accuracy"], 4),
                                      "matthews": round(result["test_matthews"], 4), "seconds": round(result["train_seconds"], 1),
                                      "processor_seconds": round(result["processor_seconds"], 1), "trainable": result["trainable"],
                                      "options": a.options}), flush=True)


if __name__ == "__main__":
    main()
