#!/usr/bin/env bash
# Train in several processes, one a GPU (without GPUs: on the CPU):
#
#   tools/dist_train.sh CONFIG GPUS [flags of train.py]
#
# Several machines, the same command on each, with one port for all:
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 PORT=29500 \
#       tools/dist_train.sh CONFIG GPUS_A_MACHINE
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [flags of train.py]" >&2
    exit 2
fi
exec "$(dirname "${BASH_SOURCE[0]}")/torchrun.sh" "$2" train.py "$1" \
    --launcher pytorch "${@:3}"
