#!/usr/bin/env bash
# Compares PEFT strategies on a real language model: installs what is missing, fetches the model, builds the program compare and runs it.
set -euo pipefail
# shellcheck source=cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"
build=build/release configuration=()
for ((i = 1; i <= $#; ++i)); do
  next=$((i + 1))
  if [ "${!i}" = --device=cuda ] || { [ "${!i}" = --device ] && [ "${!next:-}" = cuda ]; }; then
    build=build/release_cuda configuration=(-B "$build" -DGRAFT_PROGRAMS_ON_CUDA=ON -DGRAFT_TESTS=OFF -DGRAFT_BENCHMARKS=OFF)
  fi
done
program=$graft_root/$build/examples/compare

case "${1:-}" in
  -h | --help)
    cat <<'TEXT'
usage: examples/compare.sh [ARGUMENTS OF compare]...

Installs what is missing (apt, with sudo where needed), fetches SmolLM2-135M (PyPI), builds the program compare in build/release
and runs it. With --device cuda it is built in build/release_cuda, which needs an installed CUDA Toolkit and takes minutes more. The report is written to the folder comparison where you are, unless --out names another.
Arguments are handed on, for example --quick, --row lora:rank=4,8, --seeds 0,1,2, --model FOLDER|FILE, --data FILE; where the program is built, its own help follows.
TEXT
    [ ! -x "$program" ] || "$program" --help
    exit 0 ;;
esac

out='' own_model=false arguments=("$@")
for ((i = 0; i < $#; ++i)); do
  case ${arguments[i]} in
    --model | --model=*) own_model=true ;;
    --merge | --merge=*) own_model=true ;;  # of earlier comparisons: no model is read
    --out) out=${arguments[i + 1]:-} ;;
    --out=*) out=${arguments[i]#--out=} ;;
  esac
done

need_packages "${graft_build_packages[@]}"
defaults=()
if ! $own_model; then
  fetch_model || { say "without PyPI, name a model of your own: examples/compare.sh --model FOLDER|FILE"; exit 1; }
  defaults+=(--model "$graft_model")
fi
if [ -z "$out" ]; then
  out=comparison
  defaults+=(--out "$out")
fi

(
  cd "$graft_root"
  cmake --preset release "${configuration[@]}"
  cmake --build "$build" --target compare -j "$(build_jobs)"
) >&2
"$program" "${defaults[@]}" "$@"
say "the report: $out/report.html and $out/report.json"
