#!/usr/bin/env bash
# Resident memory of an idle TCP connection without TLS: the growth of the process by connections that have spoken once and wait.
#
#   BENCH_HOME=/tmp/bench itests/benchmarks/idle-connections.sh [CONNECTIONS]
#
# Needs python3, this module (mvn package) and a JDK 25 in JAVA_HOME; the listener of the starter takes 20,000 connections at most.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
connections=${1:-5000} port=15303
export BENCH_HOME=${BENCH_HOME:-/tmp/bench}
mkdir -p "$BENCH_HOME/run/idle"
ulimit -n $((connections + 1000))

"${JAVA_HOME:+$JAVA_HOME/bin/}java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -Xmx512m \
  -Djava.io.tmpdir="$BENCH_HOME/run/idle" ${JAVA_EXTRA:-} \
  -cp "target/classes:target/lib/*" org.pabal.itests.benchmarks.EchoNode target/lib $port > "$BENCH_HOME/run/idle/log" 2>&1 & java=$!
trap 'kill $java' EXIT
until grep -q '^ready' "$BENCH_HOME/run/idle/log"; do sleep 0.2; kill -0 $java; done

python3 - "$java" "$port" "$connections" "${JAVA_HOME:+$JAVA_HOME/bin/}jcmd" << 'END'
import socket, subprocess, sys, time
pid, port, count, jcmd = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

def resident():
    """KB, right after a collection, so that what is counted is held and not garbage."""
    time.sleep(2)
    subprocess.run([jcmd, pid, "GC.run"], stdout=subprocess.DEVNULL, check=True)
    return next(int(l.split()[1]) for l in open(f"/proc/{pid}/status") if l.startswith("VmRSS"))

def open_some(n):
    opened = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(b"x")
        assert s.recv(1) == b"x"
        opened.append(s)
    return opened

for s in open_some(500):  # warms up: classes, compiled code, the first growth of the heap
    s.close()
before = resident()
held = open_some(count)
after = resident()
print(f"{count} idle connections: {before / 1024:.1f} MB -> {after / 1024:.1f} MB, {(after - before) / count:.1f} KB each")
END
