"""PubMedQA: yes, no or maybe from an abstract, on the labelled test questions. No images."""

from osler.evaluation.task import Task

TASK = Task(
    name="pubmed_qa",
    version="1",
    dataset="pubmed_qa",
    kinds=("closed", "choice"),
    metrics=("closed_accuracy", "choice_accuracy"),
    suffix={"choice": "Answer with the letter of one option."},
)
