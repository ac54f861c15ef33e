#!/usr/bin/env bash
# Everything that waits for a GPU: the tests marked cuda, the full recipes, and training speed against plain loops.
# Fashion-MNIST is found or fetched as docs/components.md says; recipes whose data are missing say so and are passed by.
set -uo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD:$PWD/plugins${PYTHONPATH:+:$PYTHONPATH}"
out=${OUT:-runs/gpu}
mkdir -p "$out"

python3 -m pytest -m cuda -q 2>&1 | tee "$out/pytest.txt"
for recipe in ssd vgg resnet18 googlenet densenet alexnet nin inception_v3 leaves_pretrained leaves_resnet cifar10 \
    fcn fcn_camvid fcn_voc style_transfer gru lstm deep_lstm gpt seq2seq attention transformer transformer_multi30k; do
    python3 -m zoo run "recipes/$recipe.toml" --device cuda --out "$out/$recipe" 2>&1 | tee "$out/$recipe.txt"
done
for recipe in leaves_resnet leaves_alexnet; do
    python3 -m zoo bench "recipes/$recipe.toml" --device cuda --out "$out/bench-$recipe" 2>&1 | tee "$out/bench-$recipe.txt"
done
for benchmark in ssd_training fcn_training; do
    python3 -m benchmarks.$benchmark --device cuda --batches 30 --workers 8 2>&1 | tee "$out/$benchmark.txt"
done
