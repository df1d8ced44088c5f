"""RadGraph: entities of a report and relations between them, by scores of spans of words.

The architecture is DyGIE++ without its coreference and event parts (Wadden et al. 2019, arXiv 1909.03546): a span is
the vectors of its first and last word and of its width; a feed-forward net scores its labels; the spans that another
net thinks most likely are paired, and a third net scores each ordered pair's relation.

Axes: S spans, K spans kept, D width of a span's vector, L labels.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import AutoModel

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.scoring.report_metrics.extract import Run
from osler.scoring.report_metrics.local_model import bare_model, fill, load_tokenizer
from osler.scoring.report_metrics.radgraph_words import split_words

_NER, _RELATION = "__ner_labels", "__relation_labels"


class _Settings(NamedTuple):
    model_type: str
    labels: list[str]
    relations: list[str]
    max_span_width: int
    spans_per_word: float
    width_size: int
    num_layers: int
    hidden_size: int
    max_pieces: int


def load(folder: Path, device: str) -> Run:
    """A function from texts to their graphs (see `radgraph.py`)."""
    folder = Path(folder)
    settings = _read_settings(folder)
    tokenizer, backbone = load_tokenizer(folder / "backbone"), bare_model(AutoModel, folder / "backbone")
    scorer = SpanScorer(settings, backbone.config.hidden_size)
    embedder = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
    modules = {embedder: backbone, **scorer.named_parts(settings.model_type)}
    fill(modules, folder / "weights.safetensors", ignored=("_coref.", "_events."))
    backbone, scorer = backbone.to(device), scorer.eval().to(device)

    @torch.inference_mode()
    def run(texts: Sequence[str]) -> list[Any]:
        graphs = []
        for text in texts:
            words = split_words(text, settings.model_type)
            vectors = _word_vectors(words, tokenizer, backbone, settings.max_pieces)
            found, pairs = scorer(vectors)
            graphs.append({"entities": _entities(words, found, pairs, settings)})
        return graphs

    return run


class SpanScorer(nn.Module):
    """Labels of spans and relations of span pairs from word vectors."""

    def __init__(self, settings: _Settings, size: int) -> None:
        super().__init__()
        self.max_span_width, self.spans_per_word = settings.max_span_width, settings.spans_per_word
        span = 2 * size + settings.width_size
        self.width = nn.Embedding(settings.max_span_width, settings.width_size)
        self.label_hidden = _Hidden(span, settings.num_layers, settings.hidden_size)
        self.label = nn.Linear(settings.hidden_size, len(settings.labels) - 1)
        self.mention_hidden = _Hidden(span, settings.num_layers, settings.hidden_size)
        self.mention = nn.Linear(settings.hidden_size, 1)
        self.relation_hidden = _Hidden(3 * span, settings.num_layers, settings.hidden_size)
        self.relation = nn.Linear(settings.hidden_size, len(settings.relations))

    def named_parts(self, model_type: str) -> dict[str, nn.Module]:
        """The parts by their names in the published weights."""
        label, relation = f"{model_type}{_NER}", f"{model_type}{_RELATION}"
        pruner = f"_relation._mention_pruners.{relation}._scorer"
        return {
            "_endpoint_span_extractor._span_width_embedding.": self.width,
            f"_ner._ner_scorers.{label}.0._module.": self.label_hidden,
            f"_ner._ner_scorers.{label}.1._module.": self.label,
            f"{pruner}.0._module.": self.mention_hidden,
            f"{pruner}.1._module.": self.mention,
            f"_relation._relation_feedforwards.{relation}.": self.relation_hidden,
            f"_relation._relation_scorers.{relation}.": self.relation,
        }

    def forward(self, words_ND: torch.Tensor) -> tuple[list[tuple[int, int, int]], list[tuple[Any, Any, int]]]:
        """`(start, end, label)` of spans with a label, and `(span, span, relation)` of pairs with one; ends inclusive.

        Label 0 and relation 0 mean none and score 0, so that another must score above 0 to be taken.
        """
        num_words = len(words_ND)
        places = [(a, b) for a in range(num_words) for b in range(a, min(a + self.max_span_width, num_words))]
        starts, ends = torch.tensor(places, device=words_ND.device).T
        spans_SD = torch.cat([words_ND[starts], words_ND[ends], self.width(ends - starts)], dim=1)
        labels_S = _with_none(self.label(self.label_hidden(spans_SD))).argmax(dim=1).tolist()
        found = [(*place, label) for place, label in zip(places, labels_S, strict=True) if label]

        mention_S = self.mention(self.mention_hidden(spans_SD))[:, 0]
        num_kept = min(len(places), math.ceil(num_words * self.spans_per_word))
        kept = mention_S.topk(num_kept).indices.sort().values
        one, two = spans_SD[kept][:, None], spans_SD[kept][None]
        pairs_KKD = torch.cat([one.expand(-1, num_kept, -1), two.expand(num_kept, -1, -1), one * two], dim=2)
        scores_KKL = self.relation(self.relation_hidden(pairs_KKD))
        scores_KKL = scores_KKL + (mention_S[kept][:, None] + mention_S[kept][None])[..., None]
        relations_KK = _with_none(scores_KKL).argmax(dim=2)
        pairs = [
            (places[kept[i]], places[kept[j]], int(relations_KK[i, j])) for i, j in relations_KK.nonzero().tolist()
        ]
        return found, pairs


class _Hidden(nn.Module):
    """Linear layers, each followed by a ReLU."""

    def __init__(self, size: int, num_layers: int, hidden_size: int) -> None:
        super().__init__()
        sizes = [size] + [hidden_size] * num_layers
        self._linear_layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False)])

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        for layer in self._linear_layers:
            values = torch.relu(layer(values))
        return values


def _with_none(scores: torch.Tensor) -> torch.Tensor:
    return torch.cat([scores.new_zeros(*scores.shape[:-1], 1), scores], dim=-1)


def _word_vectors(words: Sequence[str], tokenizer: Any, backbone: Any, max_pieces: int) -> torch.Tensor:
    """The mean of each word's pieces; a word without pieces is 0. Long texts are read in segments of their own."""
    pieces = tokenizer(list(words), add_special_tokens=False)["input_ids"]
    flat = [piece for word in pieces for piece in word]
    room = max_pieces - tokenizer.num_special_tokens_to_add(False)
    device = next(backbone.parameters()).device
    hidden = []
    for start in range(0, len(flat), room):
        segment = [tokenizer.cls_token_id, *flat[start : start + room], tokenizer.sep_token_id]
        hidden.append(backbone(input_ids=torch.tensor([segment], device=device)).last_hidden_state[0, 1:-1])
    size = backbone.config.hidden_size
    vectors = torch.cat(hidden) if hidden else torch.zeros(0, size, device=device)
    parts = vectors.split([len(word) for word in pieces])
    return torch.stack([part.mean(dim=0) if len(part) else part.new_zeros(size) for part in parts])


def _entities(
    words: Sequence[str],
    found: Sequence[tuple[int, int, int]],
    pairs: Sequence[tuple[tuple[int, int], tuple[int, int], int]],
    settings: _Settings,
) -> dict[str, Any]:
    names = {(start, end): str(number) for number, (start, end, _) in enumerate(found, start=1)}
    return {
        names[start, end]: {
            "tokens": " ".join(words[start : end + 1]),
            "label": settings.labels[label],
            "start_ix": start,
            "end_ix": end,
            "relations": [
                [settings.relations[relation - 1], names[target]]
                for source, target, relation in pairs
                if source == (start, end) and target in names
            ],
        }
        for start, end, label in found
    }


def _read_settings(folder: Path) -> _Settings:
    """What the published configuration says. Raises InputError for parts that this reader leaves out."""
    config = read_json(folder / "config.json")
    files = sorted(path.stem for path in (folder / "vocabulary").glob(f"*{_NER}.txt"))
    if len(files) != 1:
        raise InputError(f"{folder}/vocabulary must hold one *{_NER}.txt", got=", ".join(files) or "none")
    model_type = files[0].removesuffix(_NER)
    try:
        model, reader = config["model"], config["dataset_reader"]
        if model["modules"].get("coref", {}).get("coref_prop", 0):
            raise InputError(f"{folder}: spans that coreference changes are not read", got="coref_prop above 0")
        return _Settings(
            model_type=model_type,
            labels=_lines(folder, f"{model_type}{_NER}"),
            relations=_lines(folder, f"{model_type}{_RELATION}"),
            max_span_width=int(reader["max_span_width"]),
            spans_per_word=float(model["modules"]["relation"]["spans_per_word"]),
            width_size=int(model["feature_size"]),
            num_layers=int(model["feedforward_params"]["num_layers"]),
            hidden_size=int(model["feedforward_params"]["hidden_dims"]),
            max_pieces=int(reader["token_indexers"]["bert"]["max_length"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder}/config.json is no RadGraph configuration: {error}") from error


def _lines(folder: Path, name: str) -> list[str]:
    path = folder / "vocabulary" / f"{name}.txt"
    if not path.is_file():
        raise InputError(f"{path} is missing")
    lines = path.read_text(encoding="utf-8").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
