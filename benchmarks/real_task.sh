#!/usr/bin/env bash
# Real table-to-text with little data: trains a strategy on E2E rows with finetune, writes the test inputs with generate, scores them with score.
# usage: benchmarks/real_task.sh DATA METHOD [OPTIONS OF real_task.py]...    DATA: folder with src1_train.txt, src1_valid.txt and src1_test.txt
set -euo pipefail
# shellcheck source=../cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"
run_task real_task.py fetch_model "$graft_model" "finetune generate score" "$@"
