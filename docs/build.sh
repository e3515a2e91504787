#!/usr/bin/env bash
# Builds the book of docs/ into $CARGO_TARGET_DIR/book/docs: every chapter, without the network once mdbook is there.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}
mkdir -p "$CARGO_TARGET_DIR/services" "$CARGO_TARGET_DIR/book"
services=$(cd "$CARGO_TARGET_DIR/services" && pwd)
book=$(cd "$CARGO_TARGET_DIR/book" && pwd)

if [ "$("$services/bin/mdbook" --version 2>/dev/null)" != "mdbook v0.4.52" ]; then
  cargo install --quiet --locked mdbook@0.4.52 --no-default-features --root "$services"
fi

# A chapter that SUMMARY.md names and that is not there would be an error of mdbook's; one that it does not name would not be
# in the book without a word.
for chapter in docs/*.md docs/reference/*.md; do
  name=${chapter#docs/}
  [ "$name" = SUMMARY.md ] || grep -qF "]($name)" docs/SUMMARY.md || {
    echo "docs/SUMMARY.md does not name $name" >&2
    exit 1
  }
done

log=$(RUST_LOG=warn "$services/bin/mdbook" build docs --dest-dir "$book/docs" 2>&1) || { echo "$log" >&2; exit 1; }
if [ -n "$log" ]; then
  echo "$log" >&2
  exit 1
fi

# Chapters point at files beside docs/, as ../deploy/prometheus/alerts.yaml: they are put beside the book as they are.
grep -ohE '\]\(\.\./[^)#]+' docs/*.md | cut -c6- | sort -u | while read -r file; do
  case $file in
    *.md) echo "docs/ links to $file, which is no chapter: name it, and link nothing" >&2; exit 1 ;;
  esac
  mkdir -p "$book/$(dirname "$file")"
  cp -R "$file" "$book/$(dirname "$file")/"
done
[ -s "$book/docs/getting-started.html" ] && [ -s "$book/docs/reference/sink-s3.html" ]
