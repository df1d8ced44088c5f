#!/usr/bin/env bash
# Reinforcement on the demo's model, and a supervised control beside it, to one page that compares the three.
# Goes on from out/tiny of runs/tiny.sh. About twelve minutes on two cores; a run that was cut goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/osler ]; then export PATH="$PWD/.venv/bin:$PATH"; fi
# As in runs/tiny.sh: a fixed number of threads, which sleep rather than spin.
export OMP_NUM_THREADS=2
export GOMP_SPINCOUNT=100000

# Learn from its own replies to multiple-choice questions: those worth more are made likelier. (5 minutes)
osler rl recipes/rl/grpo_phantom.yaml --out out/reinforce/grpo

# The control: the true answers to the very same questions, for about the same time. (5 minutes)
osler rl recipes/rl/supervised_phantom.yaml --out out/reinforce/supervised

# Ask all three about held-out patients. (under 1 minute each)
osler eval recipes/rl/phantom_eval.yaml --out out/reinforce/eval_start
osler eval recipes/rl/phantom_eval.yaml model=out/reinforce/grpo/model model_name=grpo --out out/reinforce/eval_grpo
osler eval recipes/rl/phantom_eval.yaml model=out/reinforce/supervised/model model_name=supervised --out out/reinforce/eval_supervised

# Item by item: what reinforcement gained, and where the control stands.
osler compare out/reinforce/eval_start out/reinforce/eval_grpo --out out/reinforce/start_grpo.json
osler compare out/reinforce/eval_start out/reinforce/eval_supervised --out out/reinforce/start_supervised.json
osler compare out/reinforce/eval_supervised out/reinforce/eval_grpo --out out/reinforce/supervised_grpo.json
osler report recipes/rl/phantom_report.yaml --out out/reinforce/report

echo "The report is at $PWD/out/reinforce/report/report.html"
