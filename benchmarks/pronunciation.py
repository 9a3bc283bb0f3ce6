#!/usr/bin/env python3
"""Adapts a small BART that pronounces US English to British English with graft's program seq2seq, and prints one JSON line a run.

Words: lower-case alphabetic words of gb_gold.json with a plain pronunciation, split by crc32(word) % 10: 0 test (the first 1,000), 1 validation (the first 1,000),
2-9 training. 2,000 steps of 64 words, AdamW, weight decay 0.01, linear schedule with 100 warm-up steps, clip 1.0; greedy, at most 40 phonemes.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

# Learning rates tuned on the validation words, and starts: a model of one layer heeds twenty further keys at once, so that the small default start only dilutes it.
LEARNING_RATES = {"prefix": 1e-1, "prefix_mlp": 3e-3, "lora": 3e-2, "full": 1e-3, "prompt": 3e-1, "infix": 1e-1, "adapter": 3e-3}
VIRTUAL_TOKENS = ("prefix", "prefix_mlp", "infix", "prompt", "embedding", "p_tuning")
OPTIONS = {"prefix": ["--init-deviation", "1"], "infix": ["--init-deviation", "1"], "prompt": ["--side", "both"]}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder with us_bart.safetensors, us_bart_config.json and gb_gold.json")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--methods", nargs="+", default=["none", "prefix", "lora", "full", "prompt"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--learning-rates", type=float, nargs="+", help="default: the tuned one of each method")
    parser.add_argument("--split", choices=["validation", "test"], default="test", help="words to score")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--length", type=int, default=20, help="virtual tokens")
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="further options of seq2seq, last")
    return parser.parse_args()


def words(a):
    config = json.loads((a.data / "us_bart_config.json").read_text(encoding="utf-8"))
    known = set(config["phoneme_chars"][4:])
    gold = json.loads((a.data / "gb_gold.json").read_text(encoding="utf-8"))
    pairs = [(w, p) for w, p in gold.items() if isinstance(p, str) and w.isalpha() and w.islower() and w.isascii() and set(p) <= known]
    part = lambda wanted: [pair for pair in pairs if zlib.crc32(pair[0].encode()) % 10 in wanted]
    return part(range(2, 10)), part([1])[:1000], part([0])[:1000]


def write_tsv(path, pairs):
    path.write_text("".join(f"{w}\t{p}\n" for w, p in pairs), encoding="utf-8")


def main():
    a = parse()
    with tempfile.TemporaryDirectory(prefix="graft-pronunciation-") as name:
        folder = pathlib.Path(name)
        model = folder / "model"
        model.mkdir()
        shutil.copy(a.data / "us_bart_config.json", model / "config.json")
        shutil.copy(a.data / "us_bart.safetensors", model / "model.safetensors")
        training, validation, test = words(a)
        write_tsv(folder / "train.tsv", training)
        write_tsv(folder / "score.tsv", test if a.split == "test" else validation)
        for method in a.methods:
            for rate in [0.0] if method == "none" else a.learning_rates or [LEARNING_RATES[method]]:
                for seed in a.seeds[:1] if method == "none" else a.seeds:
                    command = [a.programs / "seq2seq", "--model", model, "--test", folder / "score.tsv", "--max-new", 40, "--json"]
                    if method != "none":
                        command += ["--train", folder / "train.tsv", "--method", method, "--steps", a.steps, "--batch", 64, "--learning-rate", rate, "--seed", seed]
                        command += ["--warmup", 100 / a.steps, "--weight-decay", 0.01, "--clip", 1.0, *(["--length", a.length] if method in VIRTUAL_TOKENS else []), *OPTIONS.get(method, []), *a.options]
                    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
                    if done.returncode:
                        sys.exit(done.stderr)
                    result = json.loads(done.stdout)
                    print(json.dumps({"method": method, "lr": rate, "seed": seed, "split": a.split, "steps": a.steps, "training_words": len(training),
                                      "exact_match": round(result["exact_match"], 4), "phoneme_error_rate": round(result["character_error_rate"], 4),
                                      "train_loss": round(result["training_loss"], 4) if "training_loss" in result else None,
                                      "seconds": round(result.get("train_seconds", 0), 1), "trainable": result.get("trainable", 0),
                                      "length": a.length, "options": [*OPTIONS.get(method, []), *a.options]}), flush=True)


if __name__ == "__main__":
    main()
