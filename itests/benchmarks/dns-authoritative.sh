#!/usr/bin/env bash
# CPU per query of the authoritative server beside Debian's NSD and Knot: one worker each on one processor, the load on another, one round after
# the other. Full batches by udpload, small ones by dnsperf; zones of 10,000 and of a million names.
#
#   BENCH=../shared/bench BENCH_HOME=/tmp/bench itests/benchmarks/dns-authoritative.sh [ROUNDS] [SECONDS] [NAMES…]
#
# As root; needs nsd, knotd, dnsperf, gcc, python3, bc and the built image (mvn package). The last lines of each size are medians and their ratios.
# DNS_SETTINGS are lines for etc/org.pabal.dns.authoritative.cfg: response rate limiting is on for loopback too, with a limit that is not reached.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-5} seconds=${2:-5}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- 10000 1000000
bench=${BENCH:-../shared/bench}
[ -x "$bench/round-auth.sh" ] || {
  echo "$bench has no load generators: set BENCH to the folder that has udpload.c and round-auth.sh" >&2
  exit 1
}
bench=$(cd "$bench" && pwd)
export BENCH_HOME=${BENCH_HOME:-/tmp/bench}
image=${PABAL_IMAGE:-distribution/target/image}
settings=${DNS_SETTINGS-$'rate-limit = 1000000\nrate-limit-exempt = none'}
server_cpu=${SERVER_CPU:-0} client_cpu=${CLIENT_CPU:-1} offset=${OFFSET:-15400}
pabal_port=$((offset + 53)) nsd_port=$((offset + 54)) knot_port=$((offset + 55))
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

answers() {
  for ((i = 0; i < 600; i++)); do
    dig @127.0.0.1 -p "$1" host0000000.bench.test A +short +time=1 +tries=1 2> /dev/null | grep -q '^10\.0\.0\.0$' && return
    sleep 0.2
  done
  echo "nobody answers at port $1; see $BENCH_HOME/run/*/log" >&2
  exit 1
}

start_peer() { # NAME PORT ZONEFILE
  "$bench/dns-auth-peers.sh" start "$1" "$2" "$3" 1 "$server_cpu" > /dev/null
  started+=("$(cat "$BENCH_HOME/run/$1/pid")")
  answers "$2"
}

start_pabal() { # ZONEFILE
  rm -rf "$BENCH_HOME/run/pabal"
  mkdir -p "$BENCH_HOME/run/pabal"
  "$image/bin/pabal" init "$node" --domain node.test --host ns1.node.test --address 127.0.0.1 --offset "$offset" > /dev/null
  sed -i '/^workers/d' "$node/etc/org.pabal.listener~dns.cfg"
  echo 'workers = 1' >> "$node/etc/org.pabal.listener~dns.cfg"
  printf '%s\n' "$settings" >> "$node/etc/org.pabal.dns.authoritative.cfg"
  taskset -c "$server_cpu" setsid "$image/bin/pabal" run "$node" > "$BENCH_HOME/run/pabal/log" 2>&1 < /dev/null &
  echo $! > "$BENCH_HOME/run/pabal/pid"
  started+=($!)
  until grep -q '^ready' "$BENCH_HOME/run/pabal/log"; do sleep 0.2; kill -0 "$(cat "$BENCH_HOME/run/pabal/pid")"; done
  "$image/bin/pabal" shell "$node" "zone:load bench.test $1"
  answers "$pabal_port"
}

resident() { # NAME: megabytes of all its processes
  local session
  session=$(awk '{sub(/.*\) /, ""); print $4}' "/proc/$(cat "$BENCH_HOME/run/$1/pid")/stat")
  ps -o rss= -s "$session" | awk '{sum += $1} END {printf "%.0f", sum / 1024}'
}

[ -x "$BENCH_HOME/bin/udpload" ] || gcc -O2 -D_GNU_SOURCE -o "$BENCH_HOME/bin/udpload" "$bench/udpload.c"
for names; do
  zone=$BENCH_HOME/dns/z$names.zone
  export Q=$BENCH_HOME/dns/q$names.txt
  [ -s "$Q" ] || python3 "$bench/genzone.py" "$names" "$zone" "$Q"
  start_peer nsd $nsd_port "$zone"
  start_peer knot $knot_port "$zone"
  start_pabal "$zone"
  taskset -c "$client_cpu" "$BENCH_HOME/bin/udpload" 127.0.0.1 $pabal_port "$Q" "${WARM:-10}" 1024 32 > /dev/null
  : > "$BENCH_HOME/res/dns.log"
  "$bench/round-auth.sh" "$rounds" "$seconds" "$client_cpu" nsd:$nsd_port knot:$knot_port pabal:$pabal_port
  echo "$names names; resident MB: nsd $(resident nsd), knot $(resident knot), pabal $(resident pabal)"
  "$bench/median.sh" "$BENCH_HOME/res/dns.log" | tee "$BENCH_HOME/res/dns-authoritative-$names.txt"
  awk -v names="$names" '
    {for (i = 3; i < NF; i++) if ($i == "us/q_med") cpu[$1, $2] = $(i + 1); tools[$2]}
    END {
      for (tool in tools)
        printf "%d names, %s: pabal / nsd = %.3f, pabal / knot = %.3f\n", names, tool,
          cpu["pabal", tool] / cpu["nsd", tool], cpu["pabal", tool] / cpu["knot", tool]
    }' "$BENCH_HOME/res/dns-authoritative-$names.txt" | sort
  stop
done
