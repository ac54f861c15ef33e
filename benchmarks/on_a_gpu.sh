#!/usr/bin/env bash
# Everything that waits for a GPU: the tests marked cuda, the full SSD recipe, and training speed against a plain loop.
set -uo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD:$PWD/plugins${PYTHONPATH:+:$PYTHONPATH}"
out=${OUT:-runs/gpu}
mkdir -p "$out"

python3 -m pytest -m cuda -q 2>&1 | tee "$out/pytest.txt"
python3 -m zoo run recipes/ssd.toml --device cuda --out "$out/ssd" 2>&1 | tee "$out/ssd.txt"
python3 -m benchmarks.ssd_training --device cuda --batches 30 --workers 8 2>&1 | tee "$out/speed.txt"
