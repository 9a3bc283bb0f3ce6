#!/usr/bin/env bash
# Real table-to-text with little data: trains a strategy on E2E rows with finetune, writes the test inputs with generate, scores them with score.
# usage: benchmarks/real_task.sh DATA METHOD [OPTIONS OF real_task.py]...    DATA: folder with src1_train.txt, src1_valid.txt and src1_test.txt
set -euo pipefail
# shellcheck source=../cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"

model=() programs=$graft_root/build/release/examples
case " $* " in
  *" --help "* | *" -h "*) exec python3 "$graft_root/benchmarks/real_task.py" --help ;;
  *" --model "* | *" --model="*) ;;
  *)
    fetch_model || { say "without PyPI, name a model of your own with --model"; exit 1; }
    model=(--model "$graft_model") ;;
esac
case " $* " in
  *" --programs "* | *" --programs="*) ;;
  *)
    need_packages "${graft_build_packages[@]}"
    (
      cd "$graft_root"
      cmake --preset release
      cmake --build build/release --target finetune generate score -j "$(build_jobs)"
    ) >&2 ;;
esac
exec python3 "$graft_root/benchmarks/real_task.py" "${model[@]}" --programs "$programs" "$@"
