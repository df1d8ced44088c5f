"""Measurements on drawn radiographs (the cardiothoracic ratio), right within each question's tolerance."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="phantom_measure",
    version="1",
    dataset="phantom",
    items=ItemList(None, note="drawn: how many depends on the recipe"),
    cluster="patient",
    tasks=("phantom_measure",),
    kinds=("number",),
    metrics=("number_within",),
    max_new_tokens=24,
)
