"""Steps: the way of a figure to its samples, in order. What costs little and rejects much comes first."""

from osler.synth.reasoning.figure_steps import ASSIGN, SCREEN
from osler.synth.reasoning.question_steps import BLIND, LEAKAGE, SOLVE, SUPPORT, WRITE
from osler.synth.reasoning.trace_steps import CONSISTENCY, DRAFT, JUSTIFICATION, RUBRIC, TRACE, UTILITY

STEPS = (
    SCREEN, ASSIGN,
    WRITE, SUPPORT, LEAKAGE, BLIND, SOLVE,
    DRAFT, TRACE, CONSISTENCY, JUSTIFICATION, UTILITY,
    RUBRIC,
)  # fmt: skip
ROLES = tuple(dict.fromkeys(step.role for step in STEPS))
"""What the recipe names models for: screen, assign, write, check, blind, solve, trace, verify, rubric."""
