#!/usr/bin/env bash
# CPU per datagram of an echo through the transport, beside the same in C: one worker each on one processor, the load on another.
#
#   BENCH=../shared/bench BENCH_HOME=/tmp/bench itests/benchmarks/udp-echo.sh [ROUNDS] [SECONDS]
#
# Needs gcc, python3, bc, this module (mvn package) and a JDK 25 in JAVA_HOME. The last lines are medians and their ratio.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
rounds=${1:-5} seconds=${2:-5}
bench=$(cd "${BENCH:-../../../shared/bench}" && pwd)
export BENCH_HOME=${BENCH_HOME:-/tmp/bench} TOOLS=udpload
server_cpu=${SERVER_CPU:-0} client_cpu=${CLIENT_CPU:-1} c_port=15301 java_port=15302
mkdir -p "$BENCH_HOME"/{bin,dns,res} "$BENCH_HOME"/run/{cecho,pabal}

for tool in udpload udpecho; do
  [ -x "$BENCH_HOME/bin/$tool" ] || gcc -O2 -D_GNU_SOURCE -o "$BENCH_HOME/bin/$tool" "$bench/$tool.c"
done
[ -s "$BENCH_HOME/dns/q10k.txt" ] || python3 "$bench/genzone.py" 10000 "$BENCH_HOME/dns/z10k.zone" "$BENCH_HOME/dns/q10k.txt"

taskset -c "$server_cpu" setsid "$BENCH_HOME/bin/udpecho" $c_port 64 & c=$!
taskset -c "$server_cpu" setsid "${JAVA_HOME:+$JAVA_HOME/bin/}java" --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -Xmx256m -Djava.io.tmpdir="$BENCH_HOME/run/pabal" ${JAVA_EXTRA:-} \
  -cp "target/classes:target/lib/*" org.pabal.itests.benchmarks.EchoNode target/lib $java_port > "$BENCH_HOME/run/pabal/log" 2>&1 & java=$!
trap 'kill $c $java' EXIT
echo $c > "$BENCH_HOME/run/cecho/pid"
echo $java > "$BENCH_HOME/run/pabal/pid"
until grep -q '^ready' "$BENCH_HOME/run/pabal/log"; do sleep 0.2; kill -0 $java; done

taskset -c "$client_cpu" "$BENCH_HOME/bin/udpload" 127.0.0.1 $java_port "$BENCH_HOME/dns/q10k.txt" "${WARM:-8}" 1024 32 > /dev/null
: > "$BENCH_HOME/res/dns.log"
"$bench/round-auth.sh" "$rounds" "$seconds" "$client_cpu" cecho:$c_port pabal:$java_port
"$bench/median.sh" "$BENCH_HOME/res/dns.log" | tee "$BENCH_HOME/res/udp-echo.txt"
awk '{for (i = 1; i < NF; i++) if ($i == "us/q_med") cpu[$1] = $(i + 1)} END {printf "pabal / cecho = %.3f\n", cpu["pabal"] / cpu["cecho"]}' \
  "$BENCH_HOME/res/udp-echo.txt"
