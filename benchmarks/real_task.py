#!/usr/bin/env python3
"""Adapts a language model to a few hundred E2E rows with graft's finetune, generate and score, and prints one JSON line.

Training rows: every 130th line of src1_train.txt, the first --rows of them; "<source> ->" then " <text>" and the end token, loss on the text. AdamW, weight
decay 0.01, linear schedule without warm-up, clip 1.0. Validation: every 45th line of src1_valid.txt (loss, mean over tokens). Test: every 6th distinct source
of src1_test.txt, greedy, at most 60 tokens, corpus BLEU (sacreBLEU's tokenization, lower-cased, all references).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

# Peak learning rates; `finetune`'s own where a strategy is not here.
LEARNING_RATES = {"prefix": 8e-2, "prefix_mlp": 1e-3, "prompt": 3e-2, "infix": 3e-2, "embedding": 1e-3, "adapter": 1e-3, "lora": 2e-3, "top_layers": 5e-4, "full": 1e-4}
VIRTUAL_TOKENS = {"prefix", "prefix_mlp", "prompt", "infix", "embedding", "prefix_lora"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder with src1_train.txt, src1_valid.txt and src1_test.txt")
    parser.add_argument("method", help="none, full, prefix, prefix_mlp, prompt, lora, infix, embedding, adapter, top_layers, …")
    parser.add_argument("--model", required=True, help="Hugging Face folder or GGUF file")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=10, help="virtual tokens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=pathlib.Path, help="folder to keep the adapter, the outputs and the references in")
    parser.epilog = "What follows -- goes to finetune."
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    return argparse.Namespace(**vars(parser.parse_args(given[:cut])), more=given[cut + 1 :])


def read(path):
    with open(path, encoding="utf-8") as file:
        return [[part.strip() for part in line.rstrip("\n").split("||")] for line in file]


def write_rows(path, rows):
    path.write_text("".join(f"{source}||{target}\n" for source, target in rows), encoding="utf-8")


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def finetune(a, folder):
    write_rows(folder / "train.txt", read(a.data / "src1_train.txt")[::130][: a.rows])
    write_rows(folder / "valid.txt", read(a.data / "src1_valid.txt")[::45])
    command = [a.programs / "finetune", "--model", a.model, "--train", folder / "train.txt", "--validation", folder / "valid.txt", "--method", a.method, "--json"]
    if a.method != "none":
        command += ["--output", folder / "adapter", "--epochs", a.epochs, "--batch", a.batch, "--seed", a.seed]
        rate = a.learning_rate or LEARNING_RATES.get(a.method)
        command += ["--learning-rate", rate] if rate else []
        command += ["--length", a.length] if a.method in VIRTUAL_TOKENS else []
    return json.loads(run(*command, *a.more))


def evaluate(a, folder):
    """BLEU on the test inputs, their number, and the first output."""
    references = {}
    for source, text in read(a.data / "src1_test.txt"):
        references.setdefault(source, []).append(text)
    test = list(references)[::6]
    (folder / "sources.txt").write_text("".join(source + "\n" for source in test), encoding="utf-8")
    (folder / "references.txt").write_text("\n".join("".join(text + "\n" for text in references[source]) for source in test), encoding="utf-8")
    adapter = [] if a.method == "none" else ["--adapter", folder / "adapter"]
    run(a.programs / "generate", "--model", a.model, *adapter, "--sources", folder / "sources.txt", "--max-new", 60, "--output", folder / "outputs.txt")
    scores = run(a.programs / "score", "--metric", "bleu", "--tokenization", "sacrebleu", "--lowercase", "--json", "--hypotheses", folder / "outputs.txt", "--references", folder / "references.txt")
    return json.loads(scores)["bleu"], len(test), (folder / "outputs.txt").read_text(encoding="utf-8").split("\n")[0]


def measure(a, folder):
    summary = finetune(a, folder)
    bleu, tests, first = evaluate(a, folder)
    print(json.dumps({"method": a.method, "lr": summary["learning_rate"], "rows": summary["training_examples"], "epochs": a.epochs, "length": a.length, "steps": summary["steps"],
                      "validation_loss": round(summary["validation_loss"], 4), "bleu": round(bleu, 2), "tests": tests, "train_seconds": round(summary["train_seconds"], 1),
                      "tokens_per_s": round(summary["tokens_per_second"], 1), "trainable": summary["trainable"], "peak_rss_mb": round(summary["peak_memory_mib"]), "first": first}, ensure_ascii=False))


def main():
    a = parse()
    if a.keep:
        a.keep.mkdir(parents=True, exist_ok=True)
        return measure(a, a.keep)
    with tempfile.TemporaryDirectory(prefix="graft-real-task-") as folder:
        measure(a, pathlib.Path(folder))


if __name__ == "__main__":
    main()
