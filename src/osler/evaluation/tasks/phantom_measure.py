"""Measurements on drawn radiographs (the cardiothoracic ratio), right within each question's tolerance."""

from osler.evaluation.task import Task

TASK = Task(
    name="phantom_measure",
    version="1",
    dataset="phantom",
    tasks=("phantom_measure",),
    kinds=("number",),
    metrics=("number_within",),
    max_new_tokens=24,
)
