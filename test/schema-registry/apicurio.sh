#!/usr/bin/env bash
# Apicurio Registry, a real schema registry that speaks Confluent's API, with its schemas in memory.
#
#   apicurio.sh install   fetch it with Maven (once, 142 MB), and print the path of its jar
#
# Environment: APICURIO_VERSION (2.6.13.Final), XDG_CACHE_HOME (~/.cache), MAVEN_ARGS as Maven knows it.
set -euo pipefail
version=${APICURIO_VERSION:-2.6.13.Final}
home=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/apicurio-$version
jar=$home/apicurio-registry-app-$version-runner.jar

if [ "${1:-}" != install ]; then
  sed -n '2,6p' "${BASH_SOURCE[0]}"
  exit 2
fi
mkdir -p "$home"
# Several test processes may come here at once: one installs, the others wait.
exec 9>"$home/lock"
flock 9
if [ ! -f "$home/ready" ]; then
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" -DoutputDirectory="$home" -Dmdep.useBaseVersion=true >&2
  tar xzf "$home/apicurio-registry-app-$version-all.tar.gz" -C "$home"
  rm "$home/apicurio-registry-app-$version-all.tar.gz"
  touch "$home/ready"
fi
echo "$jar"
