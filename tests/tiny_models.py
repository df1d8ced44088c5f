"""Tiny random models in the layouts of the published ones, for the extractors of report metrics."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForTokenClassification,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

WORDS = [
    *("the", "heart", "is", "wide", "normal", "no", "left", "right", "lung", "effusion", "edema", "small", "in", "of"),
    *("acute", "clear", "a", "b", "1", "2", ".", ",", "(", ")", ":", "%"),
]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "##s", "##al", "n", "##ormous", "e"]
WIDTH = 16
SIZES = {"hidden_size": WIDTH, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": len(PIECES)}


def tokenizer() -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer that opens a text with [CLS] and closes it with [SEP]."""
    made = Tokenizer(WordPiece({piece: n for n, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=64,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def bert_config(**fields) -> BertConfig:
    return BertConfig(**SIZES, num_hidden_layers=2, max_position_embeddings=64, initializer_range=0.5, **fields)


def save_chexbert(folder: Path) -> tuple[BertModel, list[torch.nn.Linear]]:
    """CheXbert as its published checkpoint names its weights."""
    torch.manual_seed(1)
    bert = BertModel(bert_config()).eval()
    heads = [torch.nn.Linear(WIDTH, 4) for _ in range(13)] + [torch.nn.Linear(WIDTH, 2)]
    state = {f"bert.{name}": tensor.contiguous() for name, tensor in bert.state_dict().items()}
    for number, head in enumerate(heads):
        state |= {f"linear_heads.{number}.{name}": tensor for name, tensor in head.state_dict().items()}
    folder.mkdir(parents=True)
    bert.config.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    save_file(state, folder / "model.safetensors")
    return bert, heads


def save_bertscore(folder: Path, num_layers: int = 6) -> RobertaModel:
    torch.manual_seed(2)
    config = RobertaConfig(**SIZES, num_hidden_layers=num_layers, max_position_embeddings=66, pad_token_id=0)
    model = RobertaModel(config).eval()
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return model


def save_ratescore(folder: Path) -> tuple[BertForTokenClassification, BertModel]:
    torch.manual_seed(3)
    kinds = ("ABNORMALITY", "NON-ABNORMALITY", "DISEASE", "NON-DISEASE", "ANATOMY")
    names = ["O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI")]
    config = bert_config(id2label=dict(enumerate(names)), label2id={name: n for n, name in enumerate(names)})
    ner, encoder = BertForTokenClassification(config).eval(), BertModel(bert_config()).eval()
    with torch.no_grad():
        ner.classifier.bias[0] = -5.0  # few words outside entities
    for part, model in (("ner", ner), ("embedding", encoder)):
        model.save_pretrained(folder / part)
        tokenizer().save_pretrained(folder / part)
    return ner, encoder


def save_green(folder: Path) -> LlamaForCausalLM:
    torch.manual_seed(4)
    model = LlamaForCausalLM(
        LlamaConfig(**SIZES, num_hidden_layers=1, max_position_embeddings=48, pad_token_id=0, eos_token_id=3)
    ).eval()
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    (folder / "prompt.txt").write_text("the {reference} is {candidate} : ")
    return model


RADGRAPH_LABELS = ["", "ANAT-DP", "OBS-DA", "OBS-U", "OBS-DP"]
RADGRAPH_RELATIONS = ["modify", "located_at", "suggestive_of"]
RADGRAPH_CONFIG = {
    "dataset_reader": {
        "max_span_width": 4,
        "token_indexers": {"bert": {"model_name": "bert", "max_length": 16}},
    },
    "model": {
        "type": "dygie",
        "embedder": {"token_embedders": {"bert": {"model_name": "bert", "max_length": 16}}},
        "initializer": {},
        "module_initializer": {},
        "feature_size": 6,
        "max_span_width": 4,
        "target_task": "ner",
        "feedforward_params": {"num_layers": 2, "hidden_dims": 12, "dropout": 0.4},
        "loss_weights": {"ner": 0.2, "relation": 1.0, "coref": 0.0, "events": 0.0},
        "modules": {
            "coref": {"spans_per_word": 0.3, "max_antecedents": 10, "coref_prop": 0},
            "ner": {},
            "relation": {"spans_per_word": 0.5},
            "events": {
                "trigger_spans_per_word": 0.3, "argument_spans_per_word": 0.8,
                "loss_weights": {"trigger": 1.0, "arguments": 1.0},
            },
        },
    },
}  # fmt: skip


def radgraph_state(model_type: str) -> tuple[BertModel, dict[str, torch.Tensor]]:
    """A backbone and all weights under the names of the published file."""
    torch.manual_seed(5)
    bert = BertModel(bert_config()).eval()
    span, hidden = 2 * WIDTH + 6, 12
    prefix = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
    state = {prefix + name: tensor.contiguous() for name, tensor in bert.state_dict().items()}
    state["_endpoint_span_extractor._span_width_embedding.weight"] = torch.randn(4, 6)
    ner, relation = f"{model_type}__ner_labels", f"{model_type}__relation_labels"
    pruner = f"_relation._mention_pruners.{relation}._scorer"
    for name, given, num_out in (
        (f"_ner._ner_scorers.{ner}.0._module._linear_layers.0", span, hidden),
        (f"_ner._ner_scorers.{ner}.0._module._linear_layers.1", hidden, hidden),
        (f"_ner._ner_scorers.{ner}.1._module", hidden, len(RADGRAPH_LABELS) - 1),
        (f"{pruner}.0._module._linear_layers.0", span, hidden),
        (f"{pruner}.0._module._linear_layers.1", hidden, hidden),
        (f"{pruner}.1._module", hidden, 1),
        (f"_relation._relation_feedforwards.{relation}._linear_layers.0", 3 * span, hidden),
        (f"_relation._relation_feedforwards.{relation}._linear_layers.1", hidden, hidden),
        (f"_relation._relation_scorers.{relation}", hidden, len(RADGRAPH_RELATIONS)),
    ):
        state[f"{name}.weight"], state[f"{name}.bias"] = torch.randn(num_out, given) / 3, torch.randn(num_out) / 3
    return bert, state


def save_radgraph(folder: Path, model_type: str = "radgraph") -> dict[str, torch.Tensor]:
    bert, state = radgraph_state(model_type)
    (folder / "vocabulary").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(RADGRAPH_CONFIG))
    for name, lines in (("ner_labels", RADGRAPH_LABELS), ("relation_labels", RADGRAPH_RELATIONS)):
        (folder / "vocabulary" / f"{model_type}__{name}.txt").write_text("\n".join(lines))
    (folder / "vocabulary" / "non_padded_namespaces.txt").write_text("*labels\n*tags")
    bert.config.save_pretrained(folder / "backbone")
    tokenizer().save_pretrained(folder / "backbone")
    save_file(state, folder / "weights.safetensors")
    return state
