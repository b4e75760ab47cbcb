#!/usr/bin/env bash
# AWS's own serializers for the Glue Schema Registry, with one small program around them (Serde.java).
#
#   serde.sh install   fetch the jars with Maven (once), compile the program, and print its two class paths:
#                     for the serializer, and for the Kafka Connect converter
#
# Environment: XDG_CACHE_HOME (~/.cache), JAVA_HOME, MAVEN_ARGS as Maven knows it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/glue-serde
javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac

if [ "${1:-}" != install ]; then
  sed -n '2,7p' "${BASH_SOURCE[0]}"
  exit 2
fi
mkdir -p "$home"
# Several test processes may come here at once: one installs, the others wait.
exec 9>"$home/lock"
flock 9
if ! cmp -s "$here/pom.xml" "$home/pom.xml"; then
  rm -rf "$home/libs" "$home/connect" "$home/classes"
  mvn -q -B -f "$here/pom.xml" -Dlibs.dir="$home/libs" dependency:copy-dependencies >&2
  mkdir -p "$home/connect"
  mv "$home"/libs/schema-registry-kafkaconnect-converter-*.jar "$home/connect/"
  cp "$here/pom.xml" "$home/pom.xml"
fi
if ! cmp -s "$here/Serde.java" "$home/classes/Serde.java"; then
  rm -rf "$home/classes"
  mkdir -p "$home/classes"
  "$javac" -nowarn -proc:none -cp "$home/libs/*:$home/connect/*" -d "$home/classes" "$here/Serde.java" >&2
  cp "$here/Serde.java" "$home/classes/Serde.java"
fi
echo "$home/classes:$home/libs/*"
echo "$home/classes:$home/connect/*:$home/libs/*"
