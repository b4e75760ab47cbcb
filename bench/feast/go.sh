#!/usr/bin/env bash
# Feast's server in Go, built from the source that its package on PyPI holds; prints where it is.
#
# Environment: XDG_CACHE_HOME (~/.cache). Needs Go, python3 with venv, and the proxy of Go's modules.
set -euo pipefail
version=0.67.0
home=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/feast-go-$version
if [ ! -x "$home/bin/feast" ]; then
  mkdir -p "$home" && cd "$home"
  {
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check grpcio-tools
    venv/bin/pip download --quiet --disable-pip-version-check --no-deps --no-binary feast "feast==$version"
    tar xzf "feast-$version.tar.gz"
    cd "feast-$version"
    export GOBIN="$home/bin" PATH="$home/bin:$PATH"
    go install google.golang.org/protobuf/cmd/protoc-gen-go@latest
    go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@latest
    module=github.com/feast-dev/feast/go/protos
    mkdir -p go/protos
    for folder in core serving types registry storage; do
      [ -d "protos/feast/$folder" ] || continue
      ../venv/bin/python -m grpc_tools.protoc -Iprotos --go_out=go/protos "--go_opt=module=$module" \
        --go-grpc_out=go/protos "--go-grpc_opt=module=$module" "protos/feast/$folder"/*.proto
    done
    go build -o "$home/bin/feast" ./go/main.go
  } >&2
fi
echo "$home/bin/feast"
