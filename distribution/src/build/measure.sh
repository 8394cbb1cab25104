#!/bin/sh
# Tells how long a quickstart node takes from the command to `ready`, and its memory when it is idle.
#   measure.sh [IMAGE [TIMES]]
image=${1:-$(cd "$(dirname "$0")/../.." && pwd -P)/target/image}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

start() {
    began=$(date +%s%N)
    "$image/bin/pabal" quickstart "$scratch/node" >"$scratch/out" 2>&1 &
    node=$!
    until grep -q -E '^(ready|not ready: .*|pabal: .*)$' "$scratch/out"; do
        sleep 0.01
    done
    ended=$(date +%s%N)
    grep -E '^(not ready: |pabal: )' "$scratch/out"
    ticks=$(awk '{ print $14 + $15 }' "/proc/$node/stat")
    echo "$1: $(((ended - began) / 1000000)) ms to ready, $((ticks * 1000 / $(getconf CLK_TCK))) ms of CPU"
}

stop() {
    kill -TERM $node
    wait $node || echo "exit status $?"
}

start "first start, which makes the node"
stop
count=${2:-5}
while [ "$count" -gt 0 ]; do
    start "start"
    sleep 3
    awk '/^VmRSS/ { print "resident when idle: " int($2 / 1000) " MB" }' "/proc/$node/status"
    stop
    count=$((count - 1))
done
uptime
