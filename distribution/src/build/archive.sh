#!/bin/sh
# Packs the image in one folder.
#   archive.sh IMAGE FOLDER FILE
set -e
work=$(dirname "$3")
rm -f "$3" "$work/$2"
ln -s "$1" "$work/$2"
# -h follows the link, which gives the folder its name. The times stay: the virtual machine compares them with lib/pabal.aot.
tar -C "$work" -h -czf "$3" "$2"
rm -f "$work/$2"
