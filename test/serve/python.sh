#!/usr/bin/env bash
# Programs in Python that ask the server, each in a virtual environment in the user's cache: Feast, and Schemathesis.
#
#   python.sh install NAME   make the environment of NAME-requirements.txt (once) and print where its programs are
#
# Environment: XDG_CACHE_HOME (~/.cache), and pip's own variables.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${1:-}" != install ] || [ ! -f "$here/${2:-}-requirements.txt" ]; then
  sed -n '2,6p' "${BASH_SOURCE[0]}"
  exit 2
fi
home=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/$2
wanted=$(cksum <"$here/$2-requirements.txt")
if [ "$(cat "$home/ready" 2>/dev/null)" != "$wanted" ]; then
  mkdir -p "$home"
  # Several test processes may come here at once: one installs, the others wait.
  exec 9>"$home/lock"
  flock 9
  if [ "$(cat "$home/ready" 2>/dev/null)" != "$wanted" ]; then
    python3 -m venv --clear "$home/venv" >&2
    "$home/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/$2-requirements.txt" >&2
    echo "$wanted" >"$home/ready"
  fi
fi
echo "$home/venv/bin"
