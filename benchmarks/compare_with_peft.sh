#!/usr/bin/env bash
# Runs graft and transformers + PEFT alternately on the same model, rows and starting adapter, and prints every run as a JSON line, then a summary.
#
#   benchmarks/compare_with_peft.sh --rows FILE [--model HF_FOLDER | --shape gpt2-small] [--methods "prefix lora"] [--pairs 5] [--steps 12] [--batch 10]
#                                   [--dtype float32] [--generate] [--beams 5] [--new 60] [--programs build/release/benchmarks] [--python PYTHON]
#
# --dtype bfloat16 is the peer's, for a --model in bfloat16: graft keeps its matrices so, and computes activations in float32.
# Installs torch, transformers and peft from PyPI into build/peer unless --python names an interpreter that has them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
rows= model= shape=gpt2-small methods="prefix lora" pairs=5 steps=12 batch=10 dtype=float32 generate= beams=5 new=60 programs=$root/build/release/benchmarks python=
while [ $# -gt 0 ]; do
  case $1 in
    --generate) generate=1; shift ;;
    --rows | --model | --shape | --methods | --pairs | --steps | --batch | --dtype | --beams | --new | --programs | --python)
      [ $# -ge 2 ] || { echo "compare_with_peft: $1 wants a value" >&2; exit 2; }
      printf -v "${1#--}" %s "$2"; shift 2 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "compare_with_peft: unknown option $1; see --help" >&2; exit 2 ;;
  esac
done
[ -f "$rows" ] || { echo "compare_with_peft: --rows wants a JSON file of token ids; got '$rows'" >&2; exit 2; }
[ -x "$programs/training" ] || { echo "compare_with_peft: $programs/training is missing; hint: cmake --preset release && cmake --build build/release --target benchmarks" >&2; exit 1; }
if [ -z "$python" ]; then
  python=$root/build/peer/bin/python
  if ! "$python" -c 'import torch, transformers, peft' 2>/dev/null; then
    echo "installing torch, transformers and peft from PyPI into build/peer" >&2
    python3 -m venv "$root/build/peer" && "$python" -m pip install --quiet torch transformers peft
  fi
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/graft-peer.XXXXXX")
trap 'rm -rf "$work"' EXIT
peer() {
  "$python" "$root/benchmarks/peft_peer.py" "$@" --folder "$work" ${model:+--model "$model"} --shape "$shape" --dtype "$dtype" 2>"$work/peer.log" || { tail -n 20 "$work/peer.log" >&2; return 1; }
}
lines=$work/lines
for method in $methods; do
  peer prepare --method "$method"
  start=(--method "$method")
  [ "$method" = full ] || start+=(--adapter "$work/$method")
  for ((pair = 0; pair < pairs; ++pair)); do
    if [ -n "$generate" ]; then
      "$programs/generation" --model "${model:-$work/model}" --rows "$rows" "${start[@]}" --batch "$batch" --beams "$beams" --new "$new" | tee -a "$lines"
      peer generate --method "$method" --rows "$rows" --batch "$batch" --beams "$beams" --new "$new" | tee -a "$lines"
    else
      "$programs/training" --model "${model:-$work/model}" --rows "$rows" "${start[@]}" --batch "$batch" --steps "$steps" | tee -a "$lines"
      peer train --method "$method" --rows "$rows" --batch "$batch" --steps "$steps" | tee -a "$lines"
    fi
  done
done
python3 - "$lines" <<'PY'
import json, statistics, sys
runs = {}
for line in open(sys.argv[1]):
    r = json.loads(line)
    runs.setdefault(r["method"], {}).setdefault(r["peer"], []).append(r)
for method, peers in runs.items():
    ours, theirs = peers["graft"], peers["transformers+peft"]
    median = lambda rs, key: statistics.median(r[key] for r in rs)
    out = dict(summary=method, pairs=len(ours), tokens_per_s=median(ours, "tokens_per_s"), peer_tokens_per_s=median(theirs, "tokens_per_s"),
               speedup=round(median(ours, "tokens_per_s") / median(theirs, "tokens_per_s"), 2), peak_rss_mb=median(ours, "peak_rss_mb"),
               peer_peak_rss_mb=median(theirs, "peak_rss_mb"), memory_ratio=round(median(theirs, "peak_rss_mb") / median(ours, "peak_rss_mb"), 2),
               threads=[ours[0]["threads"], theirs[0]["threads"]])
    if "losses" in ours[0]:
        out["largest_loss_difference"] = round(max(abs(a - b) for a, b in zip(ours[0]["losses"], theirs[0]["losses"])), 5)
    print(json.dumps(out))
PY
