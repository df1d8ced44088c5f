import json

from osler.datasets.adapters.mimic_cxr_longitudinal import DATASET
from osler.datasets.dataset import read_drafts

ASK = "<image>\n<image>\nGiven the current AP image and the prior lateral image. INDICATION: Cough. Findings?"


def drafts(root, rows):
    (root / "mimic_cxr_train.json").write_text(json.dumps(rows))
    return list(read_drafts(DATASET, "mimic_cxr_longitudinal", root, split="train"))


def row(ask, answer, *images, id="a1"):
    said = [{"from": "human", "value": ask}, {"from": "gpt", "value": answer}]
    return {"id": id, "image": list(images), "conversations": said}


def test_conversations_name_their_images(tmp_path):
    paths = [f"cxr/files/p10/p10000032/s{n}/x{n}.jpg" for n in (2, 1)]
    (found,) = drafts(tmp_path, [row(ASK, " Clear lungs. ", *paths)])
    sample = found.sample
    assert [(ref.path, ref.view, ref.time) for ref in sample.media] == [
        ("p10/p10000032/s2/x2.jpg", "AP", "current"),
        ("p10/p10000032/s1/x1.jpg", "lateral", "prior"),
    ]
    assert sample.question.startswith("Given the current AP image") and "<image>" not in sample.question
    assert sample.answer.text == "Clear lungs." and sample.group == "mimic:10000032"
    assert sample.tags == ("task:findings", "longitudinal") and found.places[sample.media[0].path].startswith(
        "files/p10"
    )


def test_images_without_a_name_stay_without_and_an_empty_answer_is_counted(tmp_path):
    plain, empty = drafts(
        tmp_path, [row("<image>Findings?", "Clear.", "a.jpg"), row("Findings?", "", "b.jpg", id="a2")]
    )
    assert plain.sample.media[0].view == "" and plain.sample.group == "mimic:of-a1"
    assert plain.sample.tags == ("task:findings", "single_view")
    assert empty.skip == "not one question with one answer"
