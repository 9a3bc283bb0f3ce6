#!/usr/bin/env python3
"""What benchmarks/run_on_gpu.sh measures, and the tables of it.

    gpu_report.py rows   --folder DIR [--rows FILE] [--tiny]                           writes DIR/short.json and DIR/long.json, rows of token ids
    gpu_report.py jobs   --folder DIR --name MODEL --dtype D [--adapters DIR] [--tiny] prints the jobs of one model, for benchmarks/gpu and its peer
    gpu_report.py report --folder DIR --device TEXT --seconds N [--rehearsal]          record.tsv and lines.jsonl → results.json and results.md
"""
import argparse, datetime, json, os, platform, random, shutil, statistics, subprocess

# Dense peaks in TFLOP/s: of bfloat16 on the tensor cores, and of float32 without them. NVIDIA's data sheets.
PEAKS = {"H200": {"bfloat16": 989, "float32": 67}, "H100": {"bfloat16": 989, "float32": 67}, "A100": {"bfloat16": 312, "float32": 19.5}}
PEERS = ("graft", "transformers+peft", "graft without graphs")


def write_rows(args):
    chance = random.Random(0)
    vocabulary = 100 if args.tiny else 49000

    def row(source, target):
        return {"source_ids": [chance.randrange(1, vocabulary) for _ in range(source)], "target_ids": [chance.randrange(1, vocabulary) for _ in range(target)]}

    def length(mean, deviation, low, high):
        return max(low, min(high, round(chance.gauss(mean, deviation))))

    short = os.path.join(args.folder, "short.json")
    if args.rows:
        shutil.copy(args.rows, short)
    else:  # lengths as the E2E challenge has them in GPT-2's tokens
        rows = [row(length(29, 6, 14, 48), length(25, 7, 11, 47)) for _ in range(640)]
        if args.tiny:
            rows = [row(length(5, 2, 2, 8), length(4, 1, 2, 6)) for _ in range(12)]
        json.dump({"eos": 0, "rows": rows}, open(short, "w"))
    half = 8 if args.tiny else 512
    json.dump({"eos": 0, "rows": [row(half, half) for _ in range(4 if args.tiny else 64)]}, open(os.path.join(args.folder, "long.json"), "w"))


def print_jobs(args):
    short, long = (os.path.join(args.folder, name) for name in ("short.json", "long.json"))
    jobs = []
    for method in ("prefix", "lora"):
        common = {"model": args.name, "dtype": args.dtype, "method": method, "adapter": os.path.join(args.adapters, method) if args.adapters else ""}

        def add(what, rows, batch, **more):
            jobs.append(common | {"what": what, "rows": rows, "batch": batch} | more)

        if args.tiny:
            add("train", short, 3, steps=4)
            if args.dtype == "bfloat16" and method == "prefix":
                add("train", long, 2, steps=3)
                add("generate", short, 2, beams=1, new=3)
                add("generate", short, 2, beams=3, new=3)
            continue
        add("train", short, 10, steps=22)
        if args.dtype == "bfloat16":
            add("train", short, 64, steps=12)
            add("train", long, 8, steps=10)
            if method == "prefix":
                add("generate", short, 10, beams=1, new=60)
                add("generate", short, 64, beams=1, new=60)
                add("generate", short, 10, beams=5, new=60)
    print(json.dumps(jobs))


def read_lines(path):
    if not os.path.exists(path):
        return []
    return [json.loads(line) for line in open(path)]


def summaries(lines):
    """One entry for each job that graft did, with the peer's numbers where it did it too: medians of the pairs."""
    groups = {}
    for line in lines:
        if line.get("what") in ("train", "generate"):
            key = tuple(str(line.get(k)) for k in ("model", "dtype", "what", "method", "rows", "batch", "beams"))
            groups.setdefault(key, {}).setdefault(line["peer"], []).append(line)
    for by_peer in groups.values():
        entry = {k: by_peer[next(iter(by_peer))][0].get(k) for k in ("model", "dtype", "what", "method", "batch", "beams", "new")}
        entry["rows"] = os.path.basename(by_peer[next(iter(by_peer))][0]["rows"]).removesuffix(".json")
        for peer, prefix in zip(PEERS, ("", "peer_", "plain_")):
            done = [line for line in by_peer.get(peer, []) if "error" not in line]
            failures = [line["error"] for line in by_peer.get(peer, []) if "error" in line]
            if failures:
                entry[prefix + "error"] = failures[0]
            for key in ("tokens_per_s", "median_step_s", "peak_gpu_mb", "model_tflops"):
                values = [line[key] for line in done if key in line]
                if values:
                    entry[prefix + key] = statistics.median(values)
            entry[prefix + "runs"] = len(done)
            shares = [line["graphs"]["kernels"] / max(1, line["graphs"]["kernels"] + line["graphs"]["kernels_alone"]) for line in done if "graphs" in line]
            if shares and not prefix:
                entry["share_by_graphs"] = round(statistics.median(shares), 3)
        if "tokens_per_s" in entry and "peer_tokens_per_s" in entry:
            entry["times"] = round(entry["tokens_per_s"] / entry["peer_tokens_per_s"], 2)
        losses = [[line["losses"] for line in by_peer.get(peer, []) if "losses" in line] for peer in PEERS[:2]]
        if all(losses):
            entry["largest_loss_difference"] = round(max(abs(a - b) for a, b in zip(losses[0][0], losses[1][0])), 5)
        yield entry


def text(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def share(entry):
    """Of the kernels, those that CUDA graphs started."""
    return f"{100 * entry['share_by_graphs']:.0f} %" if "share_by_graphs" in entry else "–"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "-|" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"
    yield ""


def pages(results):
    peak = next((PEAKS[name] for name in PEAKS if name in results["device"]), {})
    yield f"# graft on {results['device']}"
    yield ""
    if results["rehearsal"]:
        yield "A rehearsal: kernels were emulated on the host, and times mean nothing."
        yield ""
    yield f"{results['date']}, {results['driver'] or 'no driver'}, commit {results['commit']}, {results['seconds']} s."
    yield ""
    yield from table(("part", "what", "result", "seconds", "why"), [row.values() for row in results["parts"]])
    done = results["summary"]
    training = [e for e in done if e["what"] == "train"]
    if training:
        yield "Training. Tokens/s count no padding; a peak is what tensors held on the GPU at a time; by graphs: the share of kernels that CUDA graphs started, and tokens/s without them; model TFLOP/s are those of the products with the frozen model."
        yield ""
        yield from table(("model", "dtype", "strategy", "rows", "batch", "tokens/s", "by graphs", "without", "peer", "times", "peak MiB", "peer", "model TFLOP/s", "% of peak", "difference of losses"),
                         [(e["model"], e["dtype"], e["method"], e["rows"], e["batch"], e.get("error") or text(e.get("tokens_per_s")), share(e),
                           text(e.get("plain_tokens_per_s")), e.get("peer_error") or text(e.get("peer_tokens_per_s")), text(e.get("times"), 2), text(e.get("peak_gpu_mb")), text(e.get("peer_peak_gpu_mb")),
                           text(e.get("model_tflops"), 1), text(100 * e["model_tflops"] / peak[e["dtype"]], 1) if peak and "model_tflops" in e else "–",
                           text(e.get("largest_loss_difference"), 4)) for e in training])
    writing = [e for e in done if e["what"] == "generate"]
    if writing:
        yield "Generation."
        yield ""
        yield from table(("model", "dtype", "strategy", "prompts", "beams", "new tokens", "tokens/s", "by graphs", "without", "peer", "times"),
                         [(e["model"], e["dtype"], e["method"], e["batch"], e["beams"], e["new"], e.get("error") or text(e.get("tokens_per_s"), 1), share(e),
                           text(e.get("plain_tokens_per_s"), 1), e.get("peer_error") or text(e.get("peer_tokens_per_s"), 1), text(e.get("times"), 2)) for e in writing])
    operations = [line for line in results["measurements"] if line.get("what") == "operation"]
    if operations:
        yield "Single operations, forward."
        yield ""
        yield from table(("width", "operation", "dtype", "rows", "length", "µs", "TFLOP/s", "TB/s"),
                         [(o["width"], o["operation"], o["dtype"], o["rows"], o["length"], text(o["us"], 1), text(o["tflops"] or None, 1), text(o["tb_per_s"] or None, 2))
                          for o in operations])


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=os.path.dirname(os.path.abspath(__file__))).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def report(args):
    parts = []
    record = os.path.join(args.folder, "record.tsv")
    for line in open(record) if os.path.exists(record) else []:
        parts.append(dict(zip(("part", "what", "result", "seconds", "why"), line.rstrip("\n").split("\t"))))
    lines = read_lines(os.path.join(args.folder, "lines.jsonl"))
    results = {"device": args.device, "date": datetime.date.today().isoformat(), "rehearsal": args.rehearsal, "seconds": args.seconds,
               "driver": "" if args.rehearsal else output_of("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader"),
               "host": platform.processor() or platform.machine(), "commit": output_of("git", "rev-parse", "--short", "HEAD") or "unknown", "parts": parts,
               "summary": list(summaries(lines)), "measurements": lines}
    with open(os.path.join(args.folder, "results.json"), "w") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(args.folder, "results.md"), "w") as file:
        file.writelines(line + "\n" for line in pages(results))


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("what", choices=["rows", "jobs", "report"])
parser.add_argument("--folder", required=True)
parser.add_argument("--rows")
parser.add_argument("--tiny", action="store_true")
parser.add_argument("--name")
parser.add_argument("--dtype")
parser.add_argument("--adapters")
parser.add_argument("--device", default="")
parser.add_argument("--seconds", type=int, default=0)
parser.add_argument("--rehearsal", action="store_true")
arguments = parser.parse_args()
{"rows": write_rows, "jobs": print_jobs, "report": report}[arguments.what](arguments)
