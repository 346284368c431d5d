#!/usr/bin/env bash
# The Python environment, in .venv of the repository:
#
#   tools/setup_env.sh core   pretraining; nothing is compiled
#   tools/setup_env.sh all    every task and the tests; compiles mmcv's ops
#
# Runs again only when a requirement changes. Environment variables: PYTHON
# (a Python 3.10, 3.11 or 3.12; else the newest of them that is found), VENV
# (another folder), MAX_JOBS (compilers at a time).
set -euo pipefail
cd "$(dirname "$0")/.."
WANT=${1:-core}
VENV=${VENV:-.venv}
PY=$VENV/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf '[setup_env %4ds] %s\n' "$SECONDS" "$*"; }
fail() { printf 'setup_env: %s\n' "$*" >&2; exit 1; }
pip_install() {
    "$PY" -m pip install -qq --progress-bar off "$@"
}

# a name on PATH may be no Python at all: pyenv puts one there for each version
is_supported() {
    "$1" -c 'import sys
sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11), (3, 12)))' 2>/dev/null
}

find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        is_supported "$PYTHON" ||
            fail "PYTHON=$PYTHON is no Python 3.10, 3.11 or 3.12" \
                "($("$PYTHON" --version 2>&1 | head -n 1))"
        echo "$PYTHON"
        return
    fi
    for name in python3.12 python3.11 python3.10 python3 python; do
        if is_supported "$name"; then
            echo "$name"
            return
        fi
    done
    fail "needs Python 3.10, 3.11 or 3.12" \
        "(found: $(python3 --version 2>&1 | head -n 1));" \
        "put one on PATH or set PYTHON=/path/to/python3.12"
}

# one number for everything a step depends on; an editable install also
# knows the folder
fingerprint() {
    { pwd; cat tools/setup_env.sh setup.py setup.cfg "$@"; } |
        sha256sum | cut -d' ' -f1
}
is_done() { [ "$(cat "$VENV/.saip_$1" 2>/dev/null)" = "$2" ]; }
mark_done() { echo "$2" >"$VENV/.saip_$1"; }

make_venv() {
    "$PY" -m pip --version >/dev/null 2>&1 && return
    local python
    python=$(find_python)
    say "$VENV with $python"
    "$python" -m venv --clear "$VENV"
}

core() {
    say 'torch and what pretraining imports'
    pip_install -c requirements/constraints.txt -r requirements/core.txt
    say 'mmengine, mmcv without operators, mmpretrain'
    # mmcv compiles its operators if its build can import torch, which an
    # isolated build cannot. pip's cache does not tell the two builds apart.
    pip_install --no-deps --no-cache-dir -r requirements/mm_core.txt
    pip_install --no-deps --no-build-isolation -e .
    "$PY" -c 'import saip_mm; print("saip_mm", saip_mm.__version__)'
}

check_compiler() {
    command -v "${CXX:-g++}" >/dev/null ||
        fail "needs a C++ compiler for mmcv's operators: install g++"
    "$PY" -c 'import os, sysconfig
assert os.path.exists(sysconfig.get_path("include") + "/Python.h")' ||
        fail "needs Python's headers: install python3-dev of its version" \
            "($("$PY" --version))"
}

compile_mmcv() {
    "$PY" -c 'import mmcv.ops' 2>/dev/null && return
    local cores memory jobs
    cores=$(nproc)
    memory=$(awk '/MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)
    jobs=$((memory < cores ? memory : cores)) # 2 GB a compiler
    export MAX_JOBS=${MAX_JOBS:-$((jobs > 0 ? jobs : 1))}
    if ! command -v nvcc >/dev/null; then
        export CUDA_VISIBLE_DEVICES= # else the build wants nvcc
        say 'no nvcc here: operators for the CPU only'
    fi
    say "compile mmcv's operators, $MAX_JOBS at a time: about 2 min on 2 cores"
    local requirement source
    requirement=$(grep '^onedl-mmcv==' requirements/mm_core.txt)
    source=$(mktemp -d)
    "$PY" -m pip download -qq --progress-bar off --no-deps --no-cache-dir \
        --no-build-isolation --no-binary :all: -d "$source" "$requirement"
    tar xf "$source"/*.tar.gz -C "$source" --strip-components 1
    # those of Python's own build; without symbols for a debugger
    CFLAGS="$("$PY" -c 'import sysconfig
print(sysconfig.get_config_var("CFLAGS"))') ${CFLAGS:-} -g0"
    export CFLAGS
    precompile_torch "$source/mmcv/ops/csrc/common/pytorch_cpp_helper.hpp"
    pip_install --no-deps --no-build-isolation --no-cache-dir \
        --force-reinstall "$source"
    rm -rf "$source"
}

# Nearly all of the time goes into torch's headers, which each of 78 files
# reads again: GCC keeps them, parsed, beside the header that includes them,
# and reads them all if the flags do not agree
precompile_torch() {
    "${CXX:-g++}" --version | grep -q 'Free Software Foundation' || return 0
    local flags
    flags=$("$PY" -c 'import sysconfig, torch.utils.cpp_extension as build
print("-fPIC -std=c++17 -DTORCH_API_INCLUDE_EXTENSION_H",
      "-DTORCH_EXTENSION_NAME=_ext",
      "-I" + sysconfig.get_path("include"),
      *("-I" + path for path in build.include_paths()))')
    # shellcheck disable=SC2086
    "${CXX:-g++}" $CFLAGS $flags -w -x c++-header "$1" -o "$1.gch"
    CFLAGS="$CFLAGS -include pytorch_cpp_helper.hpp"
}

tasks() {
    say 'libraries of the tasks and tests'
    pip_install -c requirements/constraints.txt -r requirements/build.txt \
        -r requirements/det.txt -r requirements/seg.txt \
        -r requirements/pose.txt -r requirements/text.txt \
        -r requirements/export.txt -r requirements/shards.txt \
        -r requirements/tests.txt
    pip_install --no-deps --no-build-isolation --no-cache-dir \
        -r requirements/source.txt
    pip_install --no-deps --no-cache-dir -r requirements/mm_tasks.txt
    compile_mmcv
    "$PY" -c 'import mmcv.ops, mmdet.apis, mmpose.apis, mmseg.apis'
}

[ "$WANT" = core ] || [ "$WANT" = all ] || fail "core or all, not '$WANT'"
make_venv
[ "$WANT" = core ] || check_compiler
CORE=$(fingerprint requirements/core.txt requirements/mm_core.txt \
    requirements/constraints.txt)
if ! is_done core "$CORE"; then
    core
    mark_done core "$CORE"
fi
if [ "$WANT" = all ]; then
    ALL=$(fingerprint requirements/*.txt)
    if ! is_done all "$ALL"; then
        tasks
        mark_done all "$ALL"
    fi
fi
say "$WANT is ready: $PY"
