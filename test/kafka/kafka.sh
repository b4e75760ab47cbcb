#!/usr/bin/env bash
# A real Apache Kafka broker for tests: one node (KRaft, broker and controller in one JVM) on the loopback interface.
#
#   kafka.sh install         fetch the jars with Maven (once), format a storage template and record a class archive
#   kafka.sh start DIR PORT  start on 127.0.0.1:PORT, with its controller on PORT + 1 and everything it writes under DIR; returns when it is ready
#   kafka.sh stop DIR        stop it: a clean shutdown, and SIGKILL after 10 s
#   kafka.sh kill DIR        SIGKILL it; what it wrote stays, and `start` with the same DIR goes on from it
#
# What lies in DIR before the first start is used: more.properties (settings that count before those here, for a storage formatted with them),
# classes/ (on the class path), and scram (arguments for --add-scram, one a line: users that the storage is formatted with).
#
# Environment: KAFKA_VERSION (4.3.1), KAFKA_HEAP (512m), KAFKA_JVM (more options of the JVM), XDG_CACHE_HOME (~/.cache), MAVEN_ARGS as Maven knows
# it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=${KAFKA_VERSION:-4.3.1}
home=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/kafka-$version
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

die() {
  echo "kafka.sh: $*" >&2
  exit 1
}

properties() { # DIR PORT
  cat <<P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$(($2 + 1))
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$(($2 + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$2
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$1/data
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=2
background.threads=2
P
  case $version in
    3.*) ;;
    *) printf '%s\n' share.coordinator.state.topic.replication.factor=1 share.coordinator.state.topic.min.isr=1 ;;
  esac
}

install() {
  if [ -f "$home/ready" ]; then return; fi
  mkdir -p "$home"
  # Several test processes may come here at once: one installs, the others wait.
  exec 9>"$home/lock"
  flock 9
  if [ -f "$home/ready" ]; then return; fi
  command -v mvn >/dev/null || die "Maven is needed to fetch the broker the first time"
  rm -rf "$home/libs" "$home/template"
  mvn -q -B -f "$here/pom.xml" -Dkafka.version="$version" -Dlibs.dir="$home/libs" dependency:copy-dependencies >&2
  mkdir -p "$home/template"
  properties "$home/template" 9092 >"$home/template.properties"
  "$java" -cp "$home/libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg -c "$home/template.properties" >&2
  # The archive of loaded classes halves the start; without it everything works, only slower.
  local dir
  dir=$(mktemp -d)
  (
    for port in 39461 40733 41947; do
      run "$dir" "$port" -XX:ArchiveClassesAtExit="$home/kafka.jsa" && break
    done
    stop "$dir"
  ) >/dev/null 2>&1 || rm -f "$home/kafka.jsa"
  rm -rf "$dir"
  touch "$home/ready"
}

format() { # DIR
  local users=() user
  if [ -f "$1/scram" ]; then
    while read -r user; do users+=(--add-scram "$user"); done <"$1/scram"
  fi
  "$java" -cp "$home/libs/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg -c "$1/server.properties" "${users[@]}" >"$1/format.log" 2>&1
}

run() { # DIR PORT JVM-OPTION...
  local dir=$1 port=$2
  shift 2
  if [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; then die "it already runs in $dir"; fi
  properties "$dir" "$port" >"$dir/server.properties"
  if [ -f "$dir/more.properties" ]; then
    cat "$dir/more.properties" >>"$dir/server.properties"
    [ -d "$dir/data" ] || format "$dir"
  fi
  [ -d "$dir/data" ] || cp -r "$home/template/data" "$dir/data"
  # The jars by name and in order: the archive only fits the very same class path.
  local classes
  classes=$(printf '%s:' "$home"/libs/*.jar)
  if [ -d "$dir/classes" ]; then classes+=$dir/classes:; fi
  # What it said before it was killed is not what is waited for below.
  rm -f "$dir/broker.log"
  setsid "$java" "-Xms${KAFKA_HEAP:-512m}" "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseSerialGC ${KAFKA_JVM:-} "$@" -cp "${classes%:}" -Djava.awt.headless=true \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
    kafka.Kafka "$dir/server.properties" >"$dir/broker.log" 2>&1 </dev/null 9>&- &
  local pid=$! i
  echo "$pid" >"$dir/pid"
  for ((i = 0; i < 1200; i++)); do
    if grep -q 'Kafka Server started' "$dir/broker.log"; then return; fi
    if ! kill -0 "$pid" 2>/dev/null; then
      rm -f "$dir/pid"
      grep -m3 -E 'Exception|ERROR' "$dir/broker.log" >&2 || true
      return 1
    fi
    sleep 0.05
  done
  kill -9 "$pid" 2>/dev/null || true
  echo "not ready within 60 s, see $dir/broker.log" >&2
  return 1
}

start() { # DIR PORT
  command -v "$java" >/dev/null || die "a JDK 17 or newer is needed to run the broker"
  install
  mkdir -p "$1"
  local archive=()
  if [ -f "$home/kafka.jsa" ]; then archive=(-XX:SharedArchiveFile="$home/kafka.jsa" -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off); fi
  run "$(cd "$1" && pwd)" "$2" "${archive[@]}" || die "the broker did not start"
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
}

case "${1:-} $#" in
  'install 1') command -v "$java" >/dev/null || die "a JDK 17 or newer is needed to run the broker"; install ;;
  'start 3') start "$2" "$3" ;;
  'stop 2') stop "$2" ;;
  'kill 2')
    if [ -f "$2/pid" ]; then
      kill -9 "$(cat "$2/pid")" 2>/dev/null || true
      rm -f "$2/pid"
    fi
    ;;
  *)
    sed -n '2,12p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
