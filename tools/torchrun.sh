#!/usr/bin/env bash
# Run a script of this folder in several processes:
#
#   tools/torchrun.sh PROCESSES SCRIPT [arguments]
#
# Behind dist_train.sh and dist_test.sh. NNODES, NODE_RANK, MASTER_ADDR, PORT
# as everywhere in OpenMMLab; without PORT a free one on a single machine.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROCESSES=$1
SCRIPT=$2
PYTHON=${PYTHON:-python}
NNODES=${NNODES:-1}

case $PROCESSES in
'' | *[!0-9]* | 0)
    echo "number of processes a machine expected, got '$PROCESSES'" >&2
    exit 2
    ;;
esac
if [ -z "${PORT:-}" ]; then
    PORT=29500 # machines must agree
    if [ "$NNODES" = 1 ]; then
        PORT=$("$PYTHON" -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
    fi
fi

export PYTHONPATH="$HERE/..${PYTHONPATH:+:$PYTHONPATH}"
exec "$PYTHON" -m torch.distributed.run \
    --nnodes="$NNODES" \
    --node_rank="${NODE_RANK:-0}" \
    --nproc_per_node="$PROCESSES" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="$PORT" \
    "$HERE/$SCRIPT" "${@:3}"
