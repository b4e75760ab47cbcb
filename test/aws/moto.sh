#!/usr/bin/env bash
# The emulator of AWS for tests (Moto with additions to its Glue), in a virtual environment in the user's cache.
#
#   moto.sh install   make the environment (once) and print where its python is
#
# Environment: XDG_CACHE_HOME (~/.cache), and pip's own variables.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/moto-$(sed -n 's/^moto==//p' "$here/moto-requirements.txt")

if [ "${1:-}" != install ]; then
  sed -n '2,6p' "${BASH_SOURCE[0]}"
  exit 2
fi
wanted=$(cksum <"$here/moto-requirements.txt")
if [ "$(cat "$home/ready" 2>/dev/null)" != "$wanted" ]; then
  mkdir -p "$home"
  # Several test processes may come here at once: one installs, the others wait.
  exec 9>"$home/lock"
  flock 9
  if [ "$(cat "$home/ready" 2>/dev/null)" != "$wanted" ]; then
    python3 -m venv --clear "$home/venv" >&2
    "$home/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/moto-requirements.txt" >&2
    echo "$wanted" >"$home/ready"
  fi
fi
echo "$home/venv/bin/python"
