#!/usr/bin/env bash
# Relaying beside Debian's Postfix: messages a second that arrive at smtp-sink, and CPU per message from the first octet that a client
# sends to the last that the sink takes. Each message is on disk before its 250. Both relays run in one go, one round after the other.
#
#   BENCH=../shared/bench BENCH_HOME=/tmp/bench itests/benchmarks/smtp-out.sh [ROUNDS] [MESSAGES]
#
# As root; needs what $BENCH/setup.sh installs (Postfix, smtp-sink) and the built image (mvn package). With ALONE=1 each message leaves
# on a connection of its own; else connections are kept as both do unless told otherwise.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-3} messages=${2:-20000}
bench=${BENCH:-../shared/bench}
export BENCH_HOME=${BENCH_HOME:-/tmp/bench}
image=${PABAL_IMAGE:-distribution/target/image}
node=$BENCH_HOME/pabal-relay
java=$image/runtime/bin/java
pabal_port=12587 postfix_port=12526 sink_port=12527

stop() {
  "$bench/postfix.sh" stop 2>/dev/null || true
  [ -z "${sink:-}" ] || kill "$sink" 2>/dev/null || true
  [ -z "${pabal:-}" ] || { kill "$pabal" 2>/dev/null && wait "$pabal" 2>/dev/null; } || true
}
trap stop EXIT

mkdir -p "$BENCH_HOME/res"
rm -rf "$node" "$BENCH_HOME/mail/pf"
classes=itests/benchmarks/target/classes

"$image/bin/pabal" init "$node" --domain bench.test --host mx.bench.test --address 127.0.0.1 --offset 12000 > /dev/null
printf 'smart-host = 127.0.0.1:%s\n' "$sink_port" >> "$node/etc/org.pabal.delivery.cfg"
printf 'account-messages-per-hour = 0\naccount-recipients-per-hour = 0\n' >> "$node/etc/org.pabal.smtp.cfg"
if [ -n "${ALONE:-}" ]; then
  printf 'messages-per-connection = 1\n' >> "$node/etc/org.pabal.delivery.cfg"
fi
"$bench/cg.sh" pabal "$image/bin/pabal" run "$node" > "$BENCH_HOME/pabal.log" 2>&1 < /dev/null &
pabal=$!
until grep -q '^ready' "$BENCH_HOME/pabal.log"; do sleep 0.2; kill -0 "$pabal"; done
"$image/bin/pabal" shell "$node" account:add user@bench.test pw > /dev/null

"$bench/postfix.sh" start $postfix_port > /dev/null 2>&1
postconf -c "$BENCH_HOME/run/postfix/etc" -e "relayhost=[127.0.0.1]:$sink_port" smtp_dns_support_level=disabled smtp_tls_security_level=none \
  smtp_connection_cache_on_demand="$([ -n "${ALONE:-}" ] && echo no || echo yes)"
postfix -c "$BENCH_HOME/run/postfix/etc" reload > /dev/null 2>&1

# How many messages the sink has counted.
arrived() {
  local mesg
  mesg=$(tail -c 200 "$BENCH_HOME/sink.log" | tr '\r' '\n' | sed -n 's/.*mesg=\([0-9]*\).*/\1/p' | tail -1)
  echo "${mesg:-0}"
}

# round NAME CGROUP PORT MESSAGES [LOGIN PASSWORD]
round() {
  local name=$1 group=$2 port=$3 count=$4; shift 4
  smtp-sink -u nobody -c 127.0.0.1:$sink_port 1000 > "$BENCH_HOME/sink.log" 2> "$BENCH_HOME/sink.err" &
  sink=$!
  until (exec 3<> /dev/tcp/127.0.0.1/$sink_port) 2>/dev/null; do sleep 0.1; kill -0 "$sink"; done
  local cpu before start end after
  before=$("$bench/cgu.sh" "$group"); start=$(date +%s.%N)
  "$java" -cp "$classes" org.pabal.itests.benchmarks.MailLoad "$port" "$count" 50 4096 user@bench.test 'to%@far.test' "$@"
  local waited=0
  until [ "$(arrived)" -ge "$count" ]; do
    sleep 0.05; waited=$((waited + 1))
    [ $waited -lt 2400 ] || { echo "$name: $(arrived) of $count arrived, and no more for minutes" >&2; exit 1; }
  done
  end=$(date +%s.%N); after=$("$bench/cgu.sh" "$group")
  kill "$sink"; wait "$sink" 2>/dev/null || true; sink=
  awk -v n="$name" -v c="$count" -v t0="$start" -v t1="$end" -v a="$before" -v b="$after" \
    'BEGIN { printf "%-8s %7.0f relayed/s %7.0f cpu_us/msg\n", n, c / (t1 - t0), (b - a) / c }' | tee -a "$BENCH_HOME/res/smtp-out.log"
}

: > "$BENCH_HOME/res/smtp-out.log"
round warm-up postfix $postfix_port 500
round warm-up pabal $pabal_port "${WARM:-20000}" user@bench.test pw
: > "$BENCH_HOME/res/smtp-out.log"
for ((i = 0; i < rounds; i++)); do
  round postfix postfix $postfix_port $((messages / 5))
  round pabal pabal $pabal_port "$messages" user@bench.test pw
done
