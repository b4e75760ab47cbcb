#!/usr/bin/env bash
# What tests of models need and a checkout does not have, in the user's cache: each is installed once.
#
#   install.sh runtime   onnxruntime-web, the version in package.json; prints the folder that has it in node_modules
#   install.sh python    scikit-learn, skl2onnx and onnxruntime; prints where their python is
#
# Environment: XDG_CACHE_HOME (~/.cache), and npm's and pip's own variables.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark
version=$(sed -n 's/^ *"onnxruntime-web": "\([0-9.]*\)".*/\1/p' "$here/../../package.json")

once() { # HOME WANTED COMMAND...: several test processes may come here at once: one installs, the others wait.
  local home=$1 wanted=$2
  shift 2
  if [ "$(cat "$home/ready" 2>/dev/null)" != "$wanted" ]; then
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock 9
    if [ "$(cat "$home/ready" 2>/dev/null)" != "$wanted" ]; then
      "$@" >&2
      echo "$wanted" >"$home/ready"
    fi
  fi
}

case ${1:-} in
  runtime)
    home=$cache/onnxruntime-web-$version
    once "$home" "$version" npm install --prefix "$home" --no-audit --no-fund --ignore-scripts --silent "onnxruntime-web@$version"
    echo "$home"
    ;;
  python)
    home=$cache/models-python
    make() {
      python3 -m venv --clear "$home/venv"
      "$home/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    }
    once "$home" "$(cksum <"$here/requirements.txt")" make
    echo "$home/venv/bin/python"
    ;;
  *)
    sed -n '2,7p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
