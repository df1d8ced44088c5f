#!/usr/bin/env bash
# Does a broader mix make a better encoder? The same tower, steps, rates and seeds; only the data of pretraining change.
#   phantom   drawn chest films with captions            brain     MRI of tumours with labels
#   blood     white blood cells with labels              broad     all three, a third of the pairs each
# All begin from one tower, which was warmed on drawn masks in place of a pretraining of weeks.
# Each is then measured on held-out parts of these sets and on breast ultrasound, which no mix has seen.
# The real sets lie below ../shared/data as published. About half an hour on two cores; called again, it goes on where it was cut.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/osler ]; then export PATH="$PWD/.venv/bin:$PATH"; fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"
out=out/ablation

osler synth recipes/transfer/mix_ablation_phantom.yaml --out $out/phantom
osler curate recipes/transfer/mix_ablation_real.yaml --out $out/brain
osler curate recipes/transfer/mix_ablation_real.yaml --out $out/blood \
  "datasets=[{name: wbc_blood, root: ../shared/data/cls_wbc_blood, splits: [train]}]"

osler train recipes/demo/warm_tower.yaml "data=[{shards: $out/phantom, tasks: {phantom_caption: 1}}]" --out $out/start

phantom="{shards: $out/phantom, tasks: {phantom_caption: 1, phantom_checklist: 1}}"
brain="{shards: $out/brain}"
blood="{shards: $out/blood}"
for seed in 0 1; do
  for mix in phantom brain blood broad; do
    case $mix in broad) data="[$phantom, $brain, $blood]" ;; *) data="[${!mix}]" ;; esac
    osler train recipes/transfer/mix_ablation_train.yaml "data=$data" seed=$seed --out $out/${mix}_$seed
  done
done

osler transfer recipes/transfer/mix_ablation.yaml --out $out/transfer
