#!/usr/bin/env bash
# Adapts all-MiniLM-L6-v2 to SST-2 or CoLA with classify, every method with three seeds; prints a JSON line a run. classification_peer.py does the same with PEFT.
# usage: benchmarks/classification.sh TASK DATA [OPTIONS OF classification.py]...    TASK: sst2 or cola    DATA: folder of its TSV files
set -euo pipefail
# shellcheck source=../cmake/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/setup.sh"
run_task classification.py fetch_minilm "$graft_minilm" classify "$@"
