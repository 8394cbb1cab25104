#!/usr/bin/env bash
# Inbound SMTP beside Debian's Postfix: messages a second and CPU per message, each message on disk before its 250 and counted
# until all are in the mailbox. Both servers run in one go, one round after the other.
#
#   BENCH=../shared/bench BENCH_HOME=/tmp/bench itests/benchmarks/smtp-in.sh [ROUNDS] [MESSAGES]
#
# As root; needs what $BENCH/setup.sh installs (Postfix, smtp-source) and the built image (mvn package).
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-3} messages=${2:-20000}
bench=${BENCH:-../shared/bench}
export BENCH_HOME=${BENCH_HOME:-/tmp/bench}
image=${PABAL_IMAGE:-distribution/target/image}
node=$BENCH_HOME/pabal-node
pabal_port=12525 postfix_port=12526

stop() {
  "$bench/postfix.sh" stop 2>/dev/null || true
  [ -z "${pabal:-}" ] || { kill "$pabal" 2>/dev/null && wait "$pabal" 2>/dev/null; } || true
}
trap stop EXIT

rm -rf "$node" "$BENCH_HOME/mail/pf"
"$image/bin/pabal" init "$node" --domain bench.test --host mx.bench.test --address 127.0.0.1 --offset 12500 > /dev/null
"$bench/cg.sh" pabal "$image/bin/pabal" run "$node" > "$BENCH_HOME/pabal.log" 2>&1 < /dev/null &
pabal=$!
until grep -q '^ready' "$BENCH_HOME/pabal.log"; do sleep 0.2; kill -0 "$pabal"; done
"$image/bin/pabal" shell "$node" account:add user@bench.test pw > /dev/null
"$bench/postfix.sh" start $postfix_port > /dev/null 2>&1
mkdir -p "$BENCH_HOME/res"

# Both servers deliver the first messages to warm up and to make the mailbox's folders.
COUNTDIR='' "$bench/loadsmtp.sh" warm-postfix postfix $postfix_port 500 50 -d > /dev/null
COUNTDIR='' "$bench/loadsmtp.sh" warm-pabal pabal $pabal_port "${WARM:-20000}" 50 -d > /dev/null
until maildir=$(find "$node/data" -type d -name new | grep user) && [ -n "$maildir" ]; do sleep 0.2; done

for ((i = 0; i < rounds; i++)); do
  for mode in -d ''; do
    COUNTDIR=$BENCH_HOME/mail/pf/box/new "$bench/loadsmtp.sh" "postfix" postfix $postfix_port $((messages / 10)) 50 $mode
    COUNTDIR=$maildir "$bench/loadsmtp.sh" "pabal" pabal $pabal_port "$messages" 50 $mode
  done
done
