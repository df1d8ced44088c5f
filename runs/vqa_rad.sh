#!/usr/bin/env bash
# Real films through the whole path: VQA-RAD in its published layout, the tiny model, about four minutes on two cores.
# The files are read from ../shared/data/vqa_rad, or from the folder given as the first argument.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/osler ]; then export PATH="$PWD/.venv/bin:$PATH"; fi
export OMP_NUM_THREADS=2
# A thread that waits spins for a moment, then sleeps: spinning on, it would take the core from the one it waits for.
export GOMP_SPINCOUNT=100000

# Read the published files; count what is missing or broken; note images that both splits hold. (seconds)
osler curate recipes/real/vqa_rad_curate.yaml "datasets=[{name: vqa_rad, root: ${1:-../shared/data/vqa_rad}, splits: [train, test]}]" --out out/vqa_rad/data

# Train from nothing on the train questions. (2 minutes)
osler train recipes/real/vqa_rad.yaml --out out/vqa_rad/train

# Ask the official test questions with the image, without it, and with another one. (1 minute)
osler eval recipes/real/vqa_rad_eval.yaml --out out/vqa_rad/eval

# One page. (seconds)
osler report recipes/real/vqa_rad_report.yaml --out out/vqa_rad/report

echo "The report is at $PWD/out/vqa_rad/report/report.html"
