#!/bin/sh
# Builds the wheel, installs it where nothing else is, and looks whether it works there.
# usage: check_wheel.sh PYTHON
set -eu
python=$1
root=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -m venv "$place/venv"
pip="$place/venv/bin/python -m pip --quiet --disable-pip-version-check"
$pip wheel --no-deps --wheel-dir "$place" "$root"
$pip install --constraint "$root/requirements.lock" "$place"/dockpass-*.whl
cd "$place"
HOME="$place" venv/bin/dockpass --version
HOME="$place" venv/bin/dockpass explain push --clean-env --repo registry.example/a >/dev/null
[ -s venv/share/man/man1/dockpass.1 ] || { echo "the wheel has no man page" >&2; exit 1; }
venv/bin/python -c 'import dockpass.ui.app' || { echo "the screen cannot be loaded" >&2; exit 1; }
[ -s "$(find venv -name base.tcss)" ] || { echo "the wheel has no style sheet" >&2; exit 1; }
