#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: shows that graft works there and how fast it is, within minutes.
set -euo pipefail
# shellcheck source=cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"

usage() {
  cat <<'TEXT'
usage: benchmarks/run_on_gpu.sh [--build DIR] [--only PART,...] [--minutes N] [--pairs N] [--models "NAME[=FOLDER] ..."] [--rows FILE]
                                [--python PYTHON] [--out DIR] [--dry-run] [--help]

Builds what it needs into build/gpu (build/gpu_emulated with --dry-run) and runs these parts. Writes DIR/results.json and the same as tables, DIR/results.md.

  tests      those labelled cuda: kernels, training, whole models beside the host's
  sanitizer  compute-sanitizer's memcheck, racecheck, initcheck and synccheck over the small ones of them
  parity     models on the GPU beside transformers' and PEFT's numbers, in float64 and float32: the repository's own, and those of GRAFT_FIXTURES
  benchmark  single operations; training and generation, in turns with transformers + PEFT where PYTHON has torch, transformers and peft

  --build DIR    programs that are built already (cmake --build DIR --target test_cuda test_cuda_models cuda_parity benchmark_gpu)
  --only PARTS   some of the parts, with commas between them
  --minutes N    for all parts together, without the build (default: 8). What does not fit is left out, and the tables say so
  --pairs N      runs of graft and of the peer for each model (default: 2)
  --models ...   names of shapes, smollm2-135m gpt2-medium gpt2-large by default; their weights are random, or those of a Hugging Face folder
  --rows FILE    JSON with token ids for short rows: {"eos": 0, "rows": [{"source_ids": [...], "target_ids": [...]}, ...]} (default: random ones,
                 as long as those of the E2E challenge)
  --python       default: python3
  --out DIR      default: build/gpu_results
  --dry-run      rehearses on a machine without a GPU: the same steps with kernels that are emulated on the host, and tiny models

Exit status: 0 nothing failed, 1 something failed, 2 usage.
TEXT
}

build='' only=tests,sanitizer,parity,benchmark minutes=8 pairs=2 models='' rows='' python=python3 out=$graft_root/build/gpu_results dry=false
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --dry-run) dry=true; shift ;;
    --build | --only | --minutes | --pairs | --models | --rows | --python | --out)
      [ $# -ge 2 ] || { say "$1 needs a value"; exit 2; }
      printf -v "${1#--}" %s "$2"
      shift 2 ;;
    *) say "unknown argument '$1'; see --help"; exit 2 ;;
  esac
done
for number in "$minutes" "$pairs"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || { say "--minutes and --pairs need a number of 1 or more; got '$number'"; exit 2; }
done
for part in ${only//,/ }; do
  [[ $part =~ ^(tests|sanitizer|parity|benchmark)$ ]] || { say "--only knows tests, sanitizer, parity and benchmark; got '$part'"; exit 2; }
done
[ -z "$rows" ] || [ -f "$rows" ] || { say "--rows names no file: '$rows'"; exit 2; }

suffix='' device=cuda emulated=''
if $dry; then
  suffix=_emulated device=cpu emulated=1
  : "${models:=llama-tiny gpt2-tiny}"
elif ! [ -e /dev/nvidiactl ] && ! nvidia-smi -L >/dev/null 2>&1; then
  say "found no NVIDIA GPU (neither /dev/nvidiactl nor nvidia-smi); expected a machine with one and its driver; hint: --dry-run rehearses without"
  exit 1
fi
: "${models:=smollm2-135m gpt2-medium gpt2-large}"
wants() { [[ ,$only, == *,$1,* ]]; }

program() {  # program PART   where the programs of a part are
  case $1 in
    kernels) echo "$build/tests/cuda/test_cuda$suffix" ;;
    models) echo "$build/tests/cuda_models/test_cuda_models$suffix" ;;
    parity) echo "$build/tests/cuda_parity/cuda_parity$suffix" ;;
    gpu) echo "$build/benchmarks/gpu$suffix" ;;
  esac
}

if [ -z "$build" ]; then
  build=$graft_root/build/gpu$suffix targets=("benchmark_gpu$suffix")
  if wants tests || wants sanitizer; then targets+=("test_cuda$suffix" "test_cuda_models$suffix"); fi
  if wants parity; then targets+=("cuda_parity$suffix"); fi
  say "building ${targets[*]} in $build"
  cmake -S "$graft_root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGRAFT_CUDA="$($dry && echo AUTO || echo ON)" -DGRAFT_GPU_TESTS="$($dry && echo OFF || echo ON)" >&2
  cmake --build "$build" --target "${targets[@]}" -j "$(build_jobs)" >&2
fi
for name in gpu $(wants tests && echo kernels models) $(wants sanitizer && echo kernels models) $(wants parity && echo parity); do
  [ -x "$(program "$name")" ] || { say "$(program "$name") is missing; expected the programs that --help names in --build"; exit 1; }
done
if ! described=$("$(program gpu)" --device 2>&1); then
  say "$described"
  exit 1
fi

mkdir -p "$out/logs"
rm -f "$out"/{record.tsv,lines.jsonl,results.json,results.md} "$out"/logs/*
work=$(mktemp -d "${TMPDIR:-/tmp}/graft-gpu.XXXXXX")
trap 'rm -rf "$work"' EXIT
SECONDS=0
end=$((60 * minutes)) failed=false

part=''
begin() {  # begin PART SHARE   the next part, which may take SHARE percent of the time, and what others have left of theirs
  part=$1 shares=$((shares + $2))
  part_end=$((end * shares / 100))
  say "$part, until second $part_end of $end"
}
shares=0
record() {  # record NAME STATUS SECONDS [WHY]
  printf '%s\t%s\t%s\t%s\t%s\n' "$part" "$1" "$2" "$3" "${4:-}" | tee -a "$out/record.tsv" | sed 's/^/  /' >&2
}
# run NAME COMMAND…   Runs something of the present part in the time that is left to it. What it prints goes to a log; lines of JSON, to the measurements.
run() {
  local name=$1 left=$((part_end - SECONDS)) began=$SECONDS code=0 log=$out/logs/$part-${1//[^A-Za-z0-9_-]/_}.log
  shift
  if [ "$left" -lt 2 ]; then record "$name" skipped 0 "no time was left"; return; fi
  timeout -k 5 "$left" "$@" >"$log" 2>"$log.err" || code=$?
  grep '^{' "$log" >>"$out/lines.jsonl" || true
  cat "$log.err" >>"$log"
  rm "$log.err"
  case $code in
    0) record "$name" passed $((SECONDS - began)) ;;
    77) record "$name" skipped $((SECONDS - began)) "$(grep -m1 'skipped' "$log" || true)" ;;
    124 | 137) record "$name" skipped $((SECONDS - began)) "it did not end in the time that was left" ;;
    *) failed=true; record "$name" FAILED $((SECONDS - began)) "exit status $code; see $log" ;;
  esac
}

if wants tests; then
  begin tests 25
  run kernels "$(program kernels)"
  run models "$(program models)" ${emulated:+"--gtest_filter=*gpt2_prefix_length*:*llama_lora*"}
else
  shares=$((shares + 25))
fi

if wants sanitizer; then
  begin sanitizer 20
  export GRAFT_CUDA_KEEP_BLOCKS=0  # so that the tools see each block's end
  # Not the test that asks for more memory than there is: memcheck reports the call.
  small='-*MoreMemoryThanThereIs*' whole='*gpt2_lora_rank*:*llama_prefix_length*:*t5_prompt*:*bert_head*'
  for tool in memcheck racecheck initcheck synccheck; do
    if $dry; then
      check=() small='*Tensor*-*MoreMemoryThanThereIs*' whole='*llama_prefix_length*'
    elif checker=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null); then
      check=("$checker" --tool "$tool" --error-exitcode 9)
    else
      record "$tool" skipped 0 "compute-sanitizer is not installed"
      continue
    fi
    run "$tool of kernels" "${check[@]}" "$(program kernels)" "--gtest_filter=$small"
    run "$tool of models" "${check[@]}" "$(program models)" "--gtest_filter=$whole"
  done
  unset GRAFT_CUDA_KEEP_BLOCKS
else
  shares=$((shares + 20))
fi

if wants parity; then
  begin parity 10
  run "the repository's goldens" "$(program parity)" --gtest_filter='*OwnGoldens'
  fixtures=${GRAFT_FIXTURES:-$graft_root/../shared/fixtures}
  if [ -d "$fixtures" ]; then
    GRAFT_FIXTURES=$fixtures run fixtures "$(program parity)" --gtest_filter='*Fixtures'
  else
    record fixtures skipped 0 "GRAFT_FIXTURES names no folder"
  fi
else
  shares=$((shares + 10))
fi

if wants benchmark; then
  begin benchmark 45
  peer=true
  if ! "$python" -c "import torch, transformers, peft; assert '$device' == 'cpu' or torch.cuda.is_available()" 2>"$out/logs/peer.log"; then
    peer=false
    record peer skipped 0 "$python cannot import torch, transformers and peft, or its torch sees no GPU; graft is measured alone"
  fi
  report=(python3 "$graft_root/benchmarks/gpu_report.py")
  "${report[@]}" rows --folder "$work" ${emulated:+--tiny} ${rows:+--rows "$rows"}
  for model in $models; do
    name=${model%%=*} given=
    [ "$model" = "$name" ] || given=${model#*=}
    for dtype in bfloat16 float32; do
      folder=$work/$name-$dtype source=(--shape "$name") prepared=false
      [ "$dtype" = float32 ] || source+=(--narrow)
      [ -z "$given" ] || source=(--model "$given")
      if $peer; then
        prepared=true
        for method in prefix lora; do
          run "$name $dtype: $method's start" "$python" "$graft_root/benchmarks/peft_peer.py" prepare --folder "$folder" --shape "$name" --dtype "$dtype" \
            --method "$method" ${given:+--model "$given"}
          [ -d "$folder/$method" ] || prepared=false
        done
        if $prepared && [ -z "$given" ]; then source=(--model "$folder/model"); fi
      fi
      adapters=()
      if $prepared; then adapters=(--adapters "$folder"); fi
      "${report[@]}" jobs --folder "$work" --name "$name" --dtype "$dtype" ${emulated:+--tiny} "${adapters[@]}" >"$work/jobs.json"
      if [ "$dtype" = bfloat16 ]; then
        run "$name: operations" "$(program gpu)" "${source[@]}" --operations ${emulated:+--rows 2 --length 8 --repeats 2}
      fi
      for ((pair = 1; pair <= pairs; ++pair)); do
        run "$name $dtype: graft $pair" "$(program gpu)" "${source[@]}" --jobs "$work/jobs.json"
        if [ "$pair$dtype" = 1bfloat16 ]; then
          GRAFT_CUDA_GRAPHS=0 run "$name $dtype: graft without graphs" "$(program gpu)" "${source[@]}" --jobs "$work/jobs.json"
        fi
        $prepared || continue
        run "$name $dtype: peer $pair" "$python" "$graft_root/benchmarks/peft_peer.py" run --folder "$folder" --jobs "$work/jobs.json" --device "$device" \
          --attention sdpa ${given:+--model "$given"}
      done
      rm -rf "$folder"
    done
  done
fi

python3 "$graft_root/benchmarks/gpu_report.py" report --folder "$out" --device "$described" --seconds "$SECONDS" ${emulated:+--rehearsal}
cat "$out/results.md"
! $failed
