#!/bin/sh
# Makes a virtual environment with exactly the locked versions, and dockpass itself in it.
# usage: setup.sh PYTHON VENV LOCK...
set -eu
python=$1
venv=$2
shift 2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "dockpass needs Python 3.11 or later; name one with: make PYTHON=python3.12 ..." >&2
    exit 1
}
# One without pip was interrupted while it was made, or made before the venv module was installed.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv "$venv"
set -- $(for lock in "$@"; do printf -- '-r %s ' "$lock"; done)
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$venv/bin/python" --no-deps "$@"
    uv pip install --quiet --python "$venv/bin/python" --no-deps -e .
else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$@"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -e .
fi
