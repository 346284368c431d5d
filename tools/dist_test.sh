#!/usr/bin/env bash
# Evaluate in several processes, one a GPU (without GPUs: on the CPU):
#
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [flags of test.py]
#
# Several machines: as tools/dist_train.sh.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT GPUS [flags of test.py]" >&2
    exit 2
fi
exec "$(dirname "${BASH_SOURCE[0]}")/torchrun.sh" "$3" test.py "$1" "$2" \
    --launcher pytorch "${@:4}"
