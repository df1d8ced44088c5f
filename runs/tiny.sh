#!/usr/bin/env bash
# The whole story on two CPU cores in about a quarter of an hour: from drawn radiographs to a report.
# Each line reads a recipe of recipes/demo/ and fills a folder below out/tiny/. A run that was cut goes on where it
# stopped: call this file again. The minutes are those of a machine with two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/osler ]; then export PATH="$PWD/.venv/bin:$PATH"; fi
# Fixed, not left to the machine: a sum's last bits depend on the number of threads.
export OMP_NUM_THREADS=2
# A thread that waits spins for a moment, then sleeps: spinning on, it would take the core from the one it waits for.
export GOMP_SPINCOUNT=100000

# Draw chest radiographs whose truth is known, with reports, questions and reasoning, split by patient. (under 1 minute)
osler synth recipes/demo/phantom.yaml --out out/tiny/phantom

# Clean, deduplicate and check them for leakage between splits; every drop has a reason. (under 1 minute)
osler curate recipes/demo/curate.yaml --out out/tiny/data

# Teach the vision tower what the drawn masks mark, patch by patch. It stands in for a pretrained CLIP. (1 minute)
osler train recipes/demo/warm_tower.yaml --out out/tiny/warm_tower

# Stage 1: align the projector to the language model on captions. (under 1 minute)
osler train recipes/demo/align.yaml --out out/tiny/align

# Stage 2: mid-train all parts on reports and captions. (under 1 minute)
osler train recipes/demo/midtrain.yaml --out out/tiny/midtrain

# Stage 3: instruct on questions, answers and reasoning. (8 minutes)
osler train recipes/demo/instruct.yaml --out out/tiny/instruct

# Ask the held-out patients' questions: with the image, without it, and with another patient's. (1 minute)
osler eval recipes/demo/eval.yaml --out out/tiny/eval

# Reinforce: it learns multiple choice from its own replies; those worth more are made likelier. (2 minutes)
osler rl recipes/demo/grpo.yaml --out out/tiny/grpo

# Ask the same questions again, and compare the answers item by item. (seconds)
osler eval recipes/demo/eval_grpo.yaml --out out/tiny/eval_grpo
osler compare out/tiny/eval out/tiny/eval_grpo --out out/tiny/compare_grpo.json

# One page of tables, plots and example cases. (seconds)
osler report recipes/demo/report.yaml --out out/tiny/report

echo "The report is at $PWD/out/tiny/report/report.html"
