#!/usr/bin/env bash
# CPU per cached answer of the local name server beside Debian's Unbound, PowerDNS Recursor, Knot Resolver and BIND: one worker each on one
# processor, the load on another, one round after the other, by dnsperf. All of them find the names at one NSD on loopback, and know them all
# before the first round.
#
#   BENCH=../shared/bench BENCH_HOME=/tmp/bench itests/benchmarks/dns-recursive.sh [ROUNDS] [SECONDS] [NAMES]
#
# As root; needs nsd, dnsperf, python3, bc, dig and the built image (mvn package). Peers that are not installed are left out. The last lines are
# medians and their ratios. DNS_SETTINGS are lines for etc/org.pabal.dns.recursive.cfg: the limits are on for loopback too, and are not reached.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-5} seconds=${2:-5} names=${3:-10000}
bench=${BENCH:-../shared/bench}
[ -x "$bench/round-auth.sh" ] || {
  echo "$bench has no load generators: set BENCH to the folder that has round-auth.sh and dns-rec-peers.sh" >&2
  exit 1
}
bench=$(cd "$bench" && pwd)
export BENCH_HOME=${BENCH_HOME:-/tmp/bench}
image=${PABAL_IMAGE:-distribution/target/image}
settings=${DNS_SETTINGS-$'rate-limit = 1000000\nrate-limit-exempt = none\nclient-rate-limit = 1000000'}
server_cpu=${SERVER_CPU:-0} client_cpu=${CLIENT_CPU:-1} offset=${OFFSET:-15500}
upstream_port=$((offset + 99)) pabal_port=$((offset + 60))
node=$BENCH_HOME/run/pabal/node
mkdir -p "$BENCH_HOME"/{bin,dns,res}

started=()
stop() {
  for pid in "${started[@]}"; do
    kill "$pid" 2> /dev/null || true
  done
  for pid in "${started[@]}"; do
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
  done
  started=()
}
trap stop EXIT

answers() { # PORT
  for ((i = 0; i < 300; i++)); do
    dig @127.0.0.1 -p "$1" host0000000.bench.test A +short +time=1 +tries=1 2> /dev/null | grep -q '^10\.0\.0\.0$' && return
    sleep 0.2
  done
  echo "nobody answers at port $1; see $BENCH_HOME/run/*/log" >&2
  exit 1
}

start_pabal() {
  rm -rf "$BENCH_HOME/run/pabal"
  mkdir -p "$BENCH_HOME/run/pabal"
  "$image/bin/pabal" init "$node" --domain node.test --host ns1.node.test --address 127.0.0.1 --offset "$offset" > /dev/null
  cat > "$node/etc/org.pabal.listener~resolver-bench.cfg" << CFG
address = 127.0.0.1
port = $pabal_port
transport = udp
protocol = resolver
workers = 1
CFG
  : > "$BENCH_HOME/run/pabal/no-anchors"
  cat > "$node/etc/org.pabal.dns.recursive.cfg" << CFG
stub = bench.test 127.0.0.1@$upstream_port
private-upstreams = yes
trust-anchors = $BENCH_HOME/run/pabal/no-anchors
$settings
CFG
  taskset -c "$server_cpu" setsid "$image/bin/pabal" run "$node" > "$BENCH_HOME/run/pabal/log" 2>&1 < /dev/null &
  echo $! > "$BENCH_HOME/run/pabal/pid"
  started+=($!)
  until grep -q '^ready' "$BENCH_HOME/run/pabal/log"; do sleep 0.2; kill -0 "$(cat "$BENCH_HOME/run/pabal/pid")"; done
  answers "$pabal_port"
}

zone=$BENCH_HOME/dns/z$names.zone
export Q=$BENCH_HOME/dns/q$names.txt
[ -s "$Q" ] || python3 "$bench/genzone.py" "$names" "$zone" "$Q"
"$bench/dns-auth-peers.sh" start nsd "$upstream_port" "$zone" 1 "$client_cpu" > /dev/null
started+=("$(cat "$BENCH_HOME/run/nsd/pid")")
answers "$upstream_port"

servers=()
port=$((offset + 61))
for peer in unbound:unbound recursor:pdns_recursor kresd:kresd bindrec:named; do
  command -v "${peer#*:}" > /dev/null || {
    echo "${peer#*:} is not installed and is left out" >&2
    continue
  }
  "$bench/dns-rec-peers.sh" start "${peer%:*}" $port 1 "$server_cpu" "$upstream_port" > /dev/null
  started+=("$(cat "$BENCH_HOME/run/${peer%:*}/pid")")
  answers $port
  servers+=("${peer%:*}:$port")
  port=$((port + 1))
done
start_pabal
servers+=("pabal:$pabal_port")

for server in "${servers[@]}"; do # every name once, then until the code is warm
  taskset -c "$client_cpu" dnsperf -s 127.0.0.1 -p "${server#*:}" -d "$Q" -n 1 -q 100 > /dev/null
  taskset -c "$client_cpu" dnsperf -s 127.0.0.1 -p "${server#*:}" -d "$Q" -l "${WARM:-10}" -q 100 > /dev/null
done
: > "$BENCH_HOME/res/dns.log"
TOOLS=dnsperf "$bench/round-auth.sh" "$rounds" "$seconds" "$client_cpu" "${servers[@]}"
"$bench/median.sh" "$BENCH_HOME/res/dns.log" | tee "$BENCH_HOME/res/dns-recursive-$names.txt"
awk -v names="$names" '
  {for (i = 3; i < NF; i++) if ($i == "us/q_med") cpu[$1] = $(i + 1)}
  END {
    for (peer in cpu)
      if (peer != "pabal") printf "%d names: pabal / %s = %.3f\n", names, peer, cpu["pabal"] / cpu[peer]
  }' "$BENCH_HOME/res/dns-recursive-$names.txt" | sort
