#!/usr/bin/env bash
# TTA's front door for monitoring: ./tta.sh monitor COMMAND. `./tta.sh monitor --help` lists commands.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
if [ "${1:-}" != "monitor" ]; then
    echo "usage: ./tta.sh monitor COMMAND (see ./tta.sh monitor --help)" >&2
    exit 2
fi
shift
python="$here/.venv/bin/python"
if [ ! -x "$python" ]; then
    echo "error: the environment is not set up: run \`make up\` (or \`make setup\`) in $here first" >&2
    exit 1
fi
cd "$here" && exec "$python" -m tta_monitor "$@"
