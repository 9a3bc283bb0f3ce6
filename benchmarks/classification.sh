#!/usr/bin/env bash
# Adapts all-MiniLM-L6-v2 to SST-2 or CoLA with classify, every method with three seeds; prints a JSON line a run. classification_peer.py does the same with PEFT.
# usage: benchmarks/classification.sh TASK DATA [OPTIONS OF classification.py]...    TASK: sst2 or cola    DATA: folder of its TSV files
set -euo pipefail
# shellcheck source=../cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"

model=() programs=()
case " $* " in
  *" --help "* | *" -h "*) exec python3 "$graft_root/benchmarks/classification.py" --help ;;
  *" --model "* | *" --model="*) ;;
  *)
    fetch_minilm || { say "without PyPI, name a model of your own with --model"; exit 1; }
    model=(--model "$graft_minilm") ;;
esac
case " $* " in
  *" --programs "* | *" --programs="*) ;;
  *)
    need_packages "${graft_build_packages[@]}"
    (
      cd "$graft_root"
      cmake --preset release
      cmake --build build/release --target classify -j "$(build_jobs)"
    ) >&2
    programs=(--programs "$graft_root/build/release/examples") ;;
esac
exec python3 "$graft_root/benchmarks/classification.py" "${model[@]}" "${programs[@]}" "$@"
