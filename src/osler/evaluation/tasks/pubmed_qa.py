"""PubMedQA: yes, no or maybe from an abstract, on the labelled test questions. No images."""

from osler.evaluation.task import ItemList, Task

TASK = Task(
    name="pubmed_qa",
    version="1",
    dataset="pubmed_qa",
    items=ItemList(500, ids_sha256="ef2ed303ade9ed71624850cfe4297c3b263e43f3b1c7edff0f43ec658dde1a12"),
    kinds=("closed", "choice"),
    metrics=("closed_accuracy", "choice_accuracy", "macro_f1/declared"),
    cluster="article",
    prompt="letter",
)
