#!/bin/sh
# Runs the image once, on ports that the system chooses, so that the virtual machine can write down which classes a start
# needs and how it looks when they are loaded: lib/pabal.aot. It fits this image only; without it a node starts, but slower.
#   train.sh IMAGE SCRATCH
set -e
image=$1
node=$2/node
rm -rf "$2"
mkdir -p "$2"
"$image/bin/pabal" init "$node" --domain example.test --host mail.example.test --address 127.0.0.1 >/dev/null
printf 'account:add alice@example.test training\n' >>"$node/etc/first-start"
for file in "$node"/etc/org.pabal.listener~*.cfg; do
    sed 's/^port = .*/port = 0/' "$file" >"$file.new"
    mv "$file.new" "$file"
done

: >"$2/out"
PABAL_JAVA_OPTIONS="-XX:AOTCacheOutput=$image/lib/pabal.aot" "$image/bin/pabal" run "$node" >"$2/out" 2>&1 &
process=$!
tries=0
until grep -q -E '^(ready|not ready: .*)$' "$2/out"; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ] || ! kill -0 $process 2>/dev/null; then
        echo "the image does not start:" >&2
        cat "$2/out" >&2
        kill $process 2>/dev/null || true
        exit 1
    fi
    sleep 0.1
done
"$image/bin/pabal" shell "$node" lb >/dev/null
"$image/bin/pabal" shell "$node" node:status >/dev/null
kill -TERM $process
wait $process || { echo "the image did not stop with status 0:" >&2; cat "$2/out" >&2; exit 1; }
if ! grep -q '^ready$' "$2/out"; then
    grep '^not ready' "$2/out" >&2
    echo "the image does not get ready; the whole log:" >&2
    cat "$2/out" >&2
    exit 1
fi
[ -s "$image/lib/pabal.aot" ] || { echo "no cache was written:" >&2; cat "$2/out" >&2; exit 1; }
# bin/pabal sets a umask that keeps a node private; the image is for all.
chmod 644 "$image/lib/pabal.aot"
rm -rf "$2"
