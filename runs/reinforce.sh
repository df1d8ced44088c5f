#!/usr/bin/env bash
# Reinforcement on the demo's model, and a supervised control beside it, to one page that compares the three.
# Goes on from out/tiny of runs/tiny.sh. About twenty minutes on two cores; a run that was cut goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/osler ]; then export PATH="$PWD/.venv/bin:$PATH"; fi
# As in runs/tiny.sh: a fixed number of threads, which sleep rather than spin.
export OMP_NUM_THREADS=2
export GOMP_SPINCOUNT=100000

# Learn from its own replies to multiple-choice questions: those worth more are made likelier. (8 minutes)
osler rl recipes/rl/grpo_phantom.yaml --out out/tiny/grpo

# The control: the true answers to the very same questions, for about the same time. (8 minutes)
osler rl recipes/rl/supervised_phantom.yaml --out out/tiny/supervised

# Ask all three about held-out patients. (1 minute each)
osler eval recipes/rl/phantom_eval.yaml --out out/tiny/eval_start
osler eval recipes/rl/phantom_eval.yaml model=out/tiny/grpo/model model_name=grpo --out out/tiny/eval_grpo
osler eval recipes/rl/phantom_eval.yaml model=out/tiny/supervised/model model_name=supervised --out out/tiny/eval_supervised

# Item by item: what reinforcement gained, and where the control stands.
osler compare out/tiny/eval_start out/tiny/eval_grpo
osler compare out/tiny/eval_supervised out/tiny/eval_grpo
osler report recipes/rl/phantom_report.yaml --out out/tiny/report_rl

echo "The report is at $PWD/out/tiny/report_rl/report.html"
