"""The extractors on tiny random models in the published layouts, each against a second way to the same numbers."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from osler.core.errors import InputError
from osler.scoring.report_metrics import (
    bertscore_model,
    chexbert_model,
    green_model,
    radgraph_model,
    ratescore_model,
)
from osler.scoring.report_metrics.pairs import pair_key
from tiny_models import (
    RADGRAPH_CONFIG,
    RADGRAPH_LABELS,
    RADGRAPH_RELATIONS,
    save_bertscore,
    save_chexbert,
    save_green,
    save_radgraph,
    save_ratescore,
    tokenizer,
)

TEXTS = ["The heart is wide.", "No acute effusion (left lung)\n is clear: small edema.", "", "éô 肺 unknown"]


def test_chexbert_labels_and_vectors(tmp_path):
    bert, heads = save_chexbert(tmp_path / "m")
    found = chexbert_model.load(tmp_path / "m", "cpu")(TEXTS)
    for text, one in zip(TEXTS, found, strict=True):
        with torch.inference_mode():
            ids = tokenizer()([" ".join(text.split())], return_tensors="pt")
            vector = bert(**ids).last_hidden_state[0, 0]
            labels = [int(head(vector).argmax()) for head in heads]
        assert one["labels"] == labels and len(labels) == 14
        assert one["vector"] == pytest.approx(vector.numpy(), abs=1e-5) and one["vector"].dtype == np.float32
    long = chexbert_model.load(tmp_path / "m", "cpu")(["heart " * 5000])
    assert len(long[0]["labels"]) == 14


def test_chexbert_with_weights_that_do_not_fit_is_refused(tmp_path):
    save_chexbert(tmp_path / "m")
    path = tmp_path / "m" / "model.safetensors"
    state = load_file(path)
    save_file({name: tensor for name, tensor in state.items() if name != "linear_heads.13.bias"}, path)
    with pytest.raises(InputError, match="linear_heads"):
        chexbert_model.load(tmp_path / "m", "cpu")
    save_file({**state, "classifier.weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="another model"):
        chexbert_model.load(tmp_path / "m", "cpu")


def test_bertscore_matches_tokens_one_by_one(tmp_path):
    model = save_bertscore(tmp_path / "m")
    pairs = [(TEXTS[0], TEXTS[1]), (TEXTS[0], TEXTS[0]), ("", TEXTS[0]), (TEXTS[1], "heart")]
    found = bertscore_model.load(tmp_path / "m", "cpu")([pair_key(*pair) for pair in pairs])
    assert found[1] == pytest.approx([1, 1, 1], abs=1e-6) and found[2] == [0, 0, 0]
    for number in (0, 3):
        given, gold = (hidden_of(model, text) for text in pairs[number])
        precision = np.mean([max(cosine(row, other) for other in gold) for row in given[1:-1]])
        recall = np.mean([max(cosine(row, other) for other in given) for row in gold[1:-1]])
        f1 = 2 * precision * recall / (precision + recall)
        assert found[number] == pytest.approx([precision, recall, f1], abs=1e-5)


def hidden_of(model, text):
    with torch.inference_mode():
        ids = tokenizer()([" ".join(text.split())], return_tensors="pt")
        return model(input_ids=ids["input_ids"], output_hidden_states=True).hidden_states[5][0].numpy()


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_bertscore_needs_a_model_with_its_layer(tmp_path):
    save_bertscore(tmp_path / "m", num_layers=3)
    with pytest.raises(InputError, match="5-layer"):
        bertscore_model.load(tmp_path / "m", "cpu")


def test_ratescore_entities_and_vectors(tmp_path):
    ner, encoder = save_ratescore(tmp_path / "m")
    found = ratescore_model.load(tmp_path / "m", "cpu")(TEXTS)
    expected = []
    for sentence in ratescore_model.cut_sentences(TEXTS[1]):
        ids = tokenizer()([sentence], return_tensors="pt")
        with torch.inference_mode():
            labels = [ner.config.id2label[n] for n in ner(**ids).logits.argmax(2)[0].tolist()]
        tokens = tokenizer().convert_ids_to_tokens(ids["input_ids"][0])
        for start in range(1, len(tokens) - 1):
            if labels[start].startswith("B-"):
                end = start + 1
                while end < len(tokens) - 1 and labels[end].startswith("I-"):
                    end += 1
                expected.append([tokenizer().convert_tokens_to_string(tokens[start:end]), labels[start][2:]])
    assert found[1]["entities"] == expected and expected
    with torch.inference_mode():
        ids = tokenizer()([expected[0][0]], return_tensors="pt", truncation=True, max_length=30)
        vector = encoder(**ids).last_hidden_state[0, 0].numpy()
    assert found[1]["vectors"][0] == pytest.approx(vector, abs=1e-5)
    assert found[2]["entities"] == [] and found[2]["vectors"].shape[0] == 0


@pytest.mark.parametrize(
    ("labels", "spans"),
    [
        (["B-DISEASE", "I-DISEASE", "O", "B-ANATOMY"], [(0, 2, "DISEASE"), (3, 4, "ANATOMY")]),
        (["I-DISEASE", "O", "I-ANATOMY"], []),
        (["B-DISEASE", "B-DISEASE", "I-DISEASE"], [(0, 1, "DISEASE"), (1, 3, "DISEASE")]),
        ([], []),
    ],
)
def test_runs_of_labels_are_entities(labels, spans):
    assert ratescore_model.entity_spans(labels) == spans


def test_sentences_are_cut_at_stops_and_line_breaks():
    assert ratescore_model.cut_sentences("Heart wide. No 1.5 cm mass;\nlung clear? ok") == [
        "Heart wide.", "No 1.5 cm mass;", "lung clear?",
    ]  # fmt: skip


def test_ratescore_with_other_entity_types_is_refused(tmp_path):
    save_ratescore(tmp_path / "m")
    path = tmp_path / "m" / "ner" / "config.json"
    path.write_text(path.read_text().replace("ANATOMY", "ORGAN"))
    with pytest.raises(InputError, match="other entity types"):
        ratescore_model.load(tmp_path / "m", "cpu")


def test_green_writes_greedily_and_fills_its_prompt(tmp_path):
    model = save_green(tmp_path / "m")
    key = pair_key("left {reference}", "lung {candidate}")
    (found,) = green_model.load(tmp_path / "m", "cpu")([key])
    ids = tokenizer()("the lung {candidate} is left {reference} : ", return_tensors="pt")["input_ids"]
    steps = ids
    with torch.inference_mode():
        while steps.shape[1] < 48:
            following = model(input_ids=steps).logits[0, -1].argmax().view(1, 1)
            steps = torch.cat([steps, following], dim=1)
            if int(following) == 3:
                break
    assert found == {"analysis": tokenizer().decode(steps[0, ids.shape[1] :], skip_special_tokens=True)}
    (too_long,) = green_model.load(tmp_path / "m", "cpu")([pair_key("heart " * 100, "lung")])
    assert too_long == {"analysis": ""}
    (tmp_path / "m" / "prompt.txt").write_text("only {reference}")
    with pytest.raises(InputError, match="prompt.txt"):
        green_model.load(tmp_path / "m", "cpu")


@pytest.mark.parametrize("model_type", ["radgraph", "radgraph-xl"])
def test_radgraph_scores_spans_and_pairs(tmp_path, model_type):
    state = save_radgraph(tmp_path / "m", model_type)
    run = radgraph_model.load(tmp_path / "m", "cpu")
    backbone = radgraph_model.bare_model(radgraph_model.AutoModel, tmp_path / "m" / "backbone")
    prefix = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
    backbone.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
    texts = [*TEXTS, "the small enormous left lungs effusion is no acute edema in the right lung normal clear wide"]
    for text, graph in zip(texts, run(texts), strict=True):
        assert graph["entities"] == by_hand(text, model_type, state, backbone)
        assert json.loads(json.dumps(graph)) == graph
    assert any(entity["relations"] for graph in run(texts) for entity in graph["entities"].values())


def by_hand(text, model_type, state, backbone):
    """DyGIE++ span by span and pair by pair."""
    words = radgraph_model.split_words(text, model_type)
    vectors = word_vectors(words, backbone)
    ner, relation = f"{model_type}__ner_labels", f"{model_type}__relation_labels"
    pruner = f"_relation._mention_pruners.{relation}._scorer"
    width = state["_endpoint_span_extractor._span_width_embedding.weight"]
    spans = [(a, b) for a in range(len(words)) for b in range(a, min(len(words), a + 4))]
    vector = {(a, b): torch.cat([vectors[a], vectors[b], width[b - a]]) for a, b in spans}
    found = {}
    for span in spans:
        hidden = feed(state, f"_ner._ner_scorers.{ner}.0._module", vector[span])
        scores = linear(state, f"_ner._ner_scorers.{ner}.1._module", hidden)
        if scores.max() > 0:
            found[span] = RADGRAPH_LABELS[int(scores.argmax()) + 1]
    mention = {
        s: float(linear(state, f"{pruner}.1._module", feed(state, f"{pruner}.0._module", vector[s]))) for s in spans
    }
    kept = sorted(sorted(spans, key=lambda s: -mention[s])[: -(-len(words) // 2)])
    relations = {span: [] for span in spans}
    numbers = {span: str(number) for number, span in enumerate(found, start=1)}
    for one in kept:
        for two in kept:
            pair = torch.cat([vector[one], vector[two], vector[one] * vector[two]])
            hidden = feed(state, f"_relation._relation_feedforwards.{relation}", pair)
            scores = linear(state, f"_relation._relation_scorers.{relation}", hidden) + mention[one] + mention[two]
            if scores.max() > 0 and two in found:
                relations[one].append([RADGRAPH_RELATIONS[int(scores.argmax())], numbers[two]])
    return {
        numbers[a, b]: {
            "tokens": " ".join(words[a : b + 1]),
            "label": label,
            "start_ix": a,
            "end_ix": b,
            "relations": relations[a, b],
        }
        for (a, b), label in found.items()
    }


def word_vectors(words, backbone):
    made = tokenizer()
    pieces = [made(word, add_special_tokens=False)["input_ids"] for word in words]
    flat, rows = [piece for word in pieces for piece in word], []
    for start in range(0, len(flat), 14):
        segment = torch.tensor([[2, *flat[start : start + 14], 3]])
        with torch.inference_mode():
            rows += list(backbone(input_ids=segment).last_hidden_state[0, 1:-1])
    vectors, position = [], 0
    for word in pieces:
        vectors.append(sum(rows[position : position + len(word)]) / len(word))
        position += len(word)
    return vectors


def feed(state, name, values):
    for layer in range(2):
        values = F.relu(linear(state, f"{name}._linear_layers.{layer}", values))
    return values


def linear(state, name, values):
    return F.linear(values, state[f"{name}.weight"], state[f"{name}.bias"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config["model"]["modules"]["coref"].update(coref_prop=1), "coreference"),
        (lambda config: config["model"].pop("feature_size"), "no RadGraph configuration"),
        (lambda config: config["model"].update(feature_size=7), "do not fit"),
    ],
)
def test_radgraph_of_another_make_is_refused(tmp_path, change, message):
    save_radgraph(tmp_path / "m")
    config = json.loads(json.dumps(RADGRAPH_CONFIG))
    change(config)
    (tmp_path / "m" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=message):
        radgraph_model.load(tmp_path / "m", "cpu")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("No effusion, 1.5 cm (left).", ["No", "effusion", ",", "1", ".", "5", "cm", "(", "left", ")", "."]),
        ("", ["None"]),
        (" \n", ["None"]),
    ],
)
def test_words_of_the_first_release(text, words):
    assert radgraph_model.split_words(text, "radgraph") == words


def test_words_of_later_releases():
    words = radgraph_model.split_words("T2-weighted (50%). Said 'x.'\n", "radgraph-xl")
    assert words == ["T2", "-", "weighted", "(", "50", "%", ")", ".", "Said", "'", "x", ".", "'"]
    assert radgraph_model.split_words("", "modern-radgraph-xl") == ["None"]
