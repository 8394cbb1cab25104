#!/usr/bin/env bash
# Dynamic updates a second while queries go on: CLIENTS nsupdate processes, each update signed and waited for, dnsperf beside them.
#
#   itests/benchmarks/updates.sh [UPDATES] [CLIENTS] [QUERIES_PER_SECOND]
#
# Needs nsupdate, dig and dnsperf (Debian: bind9-dnsutils, dnsperf) and the built image (mvn package). Prints updates a second, the CPU time of
# the node, and what dnsperf lost; ends with an error when an update was refused or is not in the zone.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
updates=${1:-20000} clients=${2:-8} rate=${3:-10000}
image=${PABAL_IMAGE:-distribution/target/image}
work=$(mktemp -d)
offset=${OFFSET:-16400}
port=$((offset + 53))
pid=
stop() {
  [ -z "$pid" ] || { kill "$pid" 2> /dev/null && wait "$pid" || true; }
  rm -rf "$work"
}
trap stop EXIT

node=$work/node
"$image/bin/pabal" init "$node" --domain node.test --host ns1.node.test --address 127.0.0.1 --offset "$offset" > /dev/null
secret=$(head -c 32 /dev/urandom | base64)
printf 'secret = %s\n' "$secret" > "$node/etc/org.pabal.tsig~bench.example.cfg"
printf 'zones = bench.test\nupdate = bench.example\n%s\n' "${ZONE_SETTINGS-}" > "$node/etc/org.pabal.zone~bench.cfg"
mkdir -p "$node/data/zones"
{
  printf '$TTL 300\n@ SOA ns1 h 1 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n'
  for ((i = 0; i < 10000; i++)); do printf 'h%d A 10.%d.%d.1\n' "$i" $((i / 250)) $((i % 250)); done
} > "$node/data/zones/bench.test.zone"
for ((i = 0; i < 10000; i++)); do printf 'h%d.bench.test A\n' "$i"; done > "$work/queries"
"$image/bin/pabal" run "$node" > "$work/log" 2>&1 < /dev/null &
pid=$!
until grep -q '^ready' "$work/log"; do
  kill -0 "$pid"
  sleep 0.2
done

each=$((updates / clients))
for ((c = 0; c < clients; c++)); do
  {
    printf 'server 127.0.0.1 %d\nzone bench.test\nkey hmac-sha256:bench.example %s\n' "$port" "$secret"
    for ((i = 0; i < each; i++)); do printf 'update add u%d-%d.bench.test 60 A 192.0.2.7\nsend\n' "$c" "$i"; done
  } > "$work/update$c"
done

cpu() { awk '{print ($14 + $15) * 10}' "/proc/$pid/stat"; } # milliseconds, at 100 ticks a second
dropped() { awk '/^Udp: [0-9]/{print $6}' /proc/net/snmp; } # datagrams for which a socket had no room
here() { awk -v port=":$(printf %04X "$port")" 'index($2, port) {sum += $NF} END {print sum + 0}' /proc/net/udp; }
serial() { dig @127.0.0.1 -p "$port" bench.test SOA +short | cut -d' ' -f3; }
before=$(serial)
cpu_before=$(cpu)
dropped_before=$(dropped)
dnsperf -s 127.0.0.1 -p "$port" -d "$work/queries" -Q "$rate" -l 600 -q 5000 > "$work/dnsperf" 2>&1 &
load=$!
start=$(date +%s%N)
senders=()
for ((c = 0; c < clients; c++)); do
  nsupdate "$work/update$c" > "$work/said$c" 2>&1 &
  senders+=($!)
done
failed=0
for sender in "${senders[@]}"; do wait "$sender" || failed=$((failed + 1)); done
nanos=$(($(date +%s%N) - start))
kill -INT "$load"
wait "$load" || true
made=$(($(serial) - before))
echo "$made updates in $((nanos / 1000000)) ms: $((made * 1000000000 / nanos)) a second; the node's CPU $(($(cpu) - cpu_before)) ms, queries included"
grep -E 'Queries (sent|completed|lost|per second)|Average Latency|Response codes' "$work/dnsperf"
echo "dropped by full sockets: $(($(dropped) - dropped_before)), of them at the node $(here)"
last=$(dig @127.0.0.1 -p "$port" "u$((clients - 1))-$((each - 1)).bench.test" A +short)
[ "$failed" = 0 ] && [ "$made" -ge $((each * clients)) ] && [ "$last" = 192.0.2.7 ] || {
  echo "wrong: $failed senders were refused, $made of $((each * clients)) updates made, the last is '$last'" >&2
  cat "$work"/said* >&2
  exit 1
}
