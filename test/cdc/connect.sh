#!/usr/bin/env bash
# A real Kafka Connect worker for tests, with one connector of Debezium: distributed, as exactly-once sources need it.
#
#   connect.sh install KIND            fetch the jars with Maven (once); KIND is postgres or mariadb
#   connect.sh start KIND DIR PORT BROKERS
#                                      start it, with its REST API on 127.0.0.1:PORT and everything it writes under DIR; it answers later
#   connect.sh stop DIR                stop it: a clean shutdown, and SIGKILL after 10 s
#   connect.sh kill DIR                SIGKILL it; its settings and offsets are in Kafka, and `start` goes on from there
#
# The connector lies on the worker's own class path: so the archive of loaded classes covers it, and no second copy of Debezium can be met
# in a folder of plugins. The archive is recorded when the first worker that ever ran is stopped.
#
# Environment: CONNECT_HEAP (256m), KAFKA_JVM (more options of the JVM), XDG_CACHE_HOME (~/.cache), MAVEN_ARGS as Maven knows it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

die() {
  echo "connect.sh: $*" >&2
  exit 1
}

properties() { # PORT BROKERS
  cat <<P
bootstrap.servers=$2
listeners=http://127.0.0.1:$1
rest.advertised.host.name=127.0.0.1
group.id=connect
exactly.once.source.support=enabled
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
plugin.discovery=service_load
config.storage.topic=connect-config
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
offset.flush.interval.ms=500
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=3000
heartbeat.interval.ms=500
task.shutdown.graceful.timeout.ms=2000
P
}

install() { # KIND
  home=$cache/connect-$1
  mkdir -p "$home"
  # Several test processes may come here at once: one installs, the others wait.
  exec 9>"$home/lock"
  flock 9
  if cmp -s "$here/pom.xml" "$home/pom.xml"; then return; fi
  command -v mvn >/dev/null || die "Maven is needed to fetch the worker the first time"
  rm -rf "$home/libs" "$home"/connect.jsa*
  mvn -q -B -f "$here/pom.xml" "-P$1" -Dlibs.dir="$home/libs" dependency:copy-dependencies >&2
  cp "$here/pom.xml" "$home/pom.xml"
}

start() { # KIND DIR PORT BROKERS
  command -v "$java" >/dev/null || die "a JDK 17 or newer is needed to run the worker"
  install "$1"
  mkdir -p "$2"
  local dir classes archive
  dir=$(cd "$2" && pwd)
  if [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; then die "it already runs in $dir"; fi
  properties "$3" "$4" >"$dir/worker.properties"
  # The jars by name and in order: the archive only fits the very same class path.
  classes=$(printf '%s:' "$home"/libs/*.jar)
  if [ -f "$home/connect.jsa" ]; then
    archive=(-XX:SharedArchiveFile="$home/connect.jsa" -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off)
  else
    archive=(-XX:ArchiveClassesAtExit="$home/connect.jsa.$$" -Xlog:cds=off -Xlog:cds+dynamic=off)
    echo "$home/connect.jsa.$$" >"$dir/archive"
  fi
  setsid "$java" -Xms64m "-Xmx${CONNECT_HEAP:-256m}" -XX:+UseSerialGC ${KAFKA_JVM:-} "${archive[@]}" -cp "${classes%:}" -Djava.awt.headless=true \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
    org.apache.kafka.connect.cli.ConnectDistributed "$dir/worker.properties" >>"$dir/worker.log" 2>&1 </dev/null 9>&- &
  echo "$!" >"$dir/pid"
}

stop() { # DIR
  [ -f "$1/pid" ] || return 0
  local pid i
  pid=$(cat "$1/pid")
  kill "$pid" 2>/dev/null || true
  for ((i = 0; i < 200; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$1/pid"
  if [ -f "$1/archive" ]; then
    local archive
    archive=$(cat "$1/archive")
    if [ -f "$archive" ]; then mv "$archive" "${archive%.*}"; fi
    rm -f "$1/archive"
  fi
}

case "${1:-} $#" in
  'install 2') install "$2" ;;
  'start 5') start "$2" "$3" "$4" "$5" ;;
  'stop 2') stop "$2" ;;
  'kill 2')
    if [ -f "$2/pid" ]; then
      kill -9 "$(cat "$2/pid")" 2>/dev/null || true
      rm -f "$2/pid" "$2/archive"
    fi
    ;;
  *)
    sed -n '2,14p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
