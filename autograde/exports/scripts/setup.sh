#!/usr/bin/env bash
# Gradescope runs this once, as root, when the autograder is built. Grading itself fetches nothing.
set -euo pipefail
umask 022
root="${AUTOGRADER_ROOT:-/autograder}"
course="$root/source/course"
torch_index=""  # another package index, for PyTorch alone

# The name of a Python that is new enough and can make virtual environments, the one of the lock file first.
find_python() {
    for name in python3.11 python3.12 python3.13 python3; do
        if command -v "$name" > /dev/null && "$name" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

install_python() {
    apt-get update
    for name in python3.11 python3.12 python3.13; do
        if DEBIAN_FRONTEND=noninteractive apt-get install -y "$name" "$name-venv"; then
            return
        fi
    done
    echo "This image has no Python 3.11 or newer: choose a newer Ubuntu under 'Base image'." >&2
    return 1
}

find_python > /dev/null || install_python
python="$(find_python)"
"$python" -m venv "$root/venv"
pip() { "$root/venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }

torch="$(grep '^torch==' "$course/requirements.txt")"
if [ -n "$torch_index" ]; then
    pip install --index-url "$torch_index" "$torch"
fi
pip install --constraint "$course/requirements.lock" --requirement "$course/requirements.txt"

cd /
"$root/venv/bin/python" -I -m compileall -q "$course"
"$root/venv/bin/python" -I -B -W ignore -c '
import sys
sys.path.insert(0, sys.argv[1])
from autograde.exports.autograder import ready
ready()
' "$course"
