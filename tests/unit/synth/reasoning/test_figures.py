import pytest

from osler.curate.opened import OpenRecord
from osler.curate.operator import Workplace
from osler.curate.pieces import build_operator
from osler.curate.plan import PlannedRecord
from osler.schema.sample import Mention, Provenance, Sample, image, passage, user
from osler.synth.reasoning.figures import Choosing, context_of, figure_cases
from osler.synth.reasoning.rules import Rules
from reasoning_world import words

RULES = Rules(min_context_words=20)


def png(width=300, height=200):
    import numpy as np

    from osler.core.rng import generator
    from osler.media.image import encode_png8

    return encode_png8(generator(1, "p").integers(0, 255, (height, width)).astype(np.uint8))


def sample(name="f1", *, paths=("a.png",), licence="CC-BY-4.0", access="open", **fields):
    origin = Provenance(dataset="jats_articles", record_id=name, licence=licence, access=access)
    given = {
        "id": f"jats_articles/train/{name}", "turns": (user(*map(image, paths), "Describe."),),
        "answer": passage(words(12, "caption", name)), "task": "caption", "group": "jats_articles/PMC1",
        "mentions": (Mention(text=words(12, "text", name)),), "provenance": origin,
    }  # fmt: skip
    return Sample(**given | fields)


def record(*samples, data=None):
    paths = dict.fromkeys(ref.path for each in samples for ref in each.media)
    planned = PlannedRecord(samples[0].id, "jats_articles", "train", None, {}, tuple(samples))
    return OpenRecord(planned, list(samples), dict.fromkeys(paths, png() if data is None else data))


def taken(*records, tmp_path, **changes):
    operators = [build_operator(("drop_small_image", {"min_side_px": 150}), Workplace(tmp_path, tmp_path))]
    given = {
        "use": "redistribute", "agreement": "", "operators": operators,
        "splits": {"jats_articles/PMC1": "test"}, "max_side_px": 64,
    }  # fmt: skip
    return figure_cases(list(records), Choosing(**{**given, **changes}), RULES)


def test_a_figure_is_taken_with_its_context_split_and_a_smaller_picture(tmp_path):
    (case,), drops = taken(record(sample()), tmp_path=tmp_path)
    assert drops == [] and (case.figure.split, case.figure.picture.media_type) == ("test", "image/jpeg")
    first, second = case.figure.context.split("\n\n")
    assert first == f"Caption: {words(12, 'caption', 'f1')}" and second == words(12, "text", "f1")


@pytest.mark.parametrize(
    ("given", "rule", "reason"),
    [
        (sample(licence="NOASSERTION", access="credentialed"), "use", "credentialed access"),
        (sample(licence="NOASSERTION"), "use", "licence NOASSERTION is not known to permit anything"),
        (sample(licence="CC-BY-ND-4.0"), "use", "licence CC-BY-ND-4.0 does not permit derivatives"),
        (sample(provenance=None), "use", "no provenance, so no licence"),
        (sample(task="vqa"), "source", "no caption: task vqa"),
        (sample(paths=("a.png", "b.png")), "source", "several images: 2"),
        (sample(mentions=()), "source", "too little text: 13 words, limit 20"),
    ],
)
def test_figures_are_left_out_with_the_reason(tmp_path, given, rule, reason):
    cases, drops = taken(record(given), tmp_path=tmp_path)
    assert cases == [] and [(row["rule"], row["id"]) for row in drops] == [(rule, given.id)]
    assert drops[0]["reason"].startswith(reason)


def test_pixels_are_filtered_by_the_curations_operators_and_read_to_their_end(tmp_path):
    small, broken = record(sample("small"), data=png(100, 100)), record(sample("broken"), data=png()[:-400])
    cases, drops = taken(small, broken, tmp_path=tmp_path)
    assert cases == [] and [(row["id"].rpartition("/")[2], row["rule"]) for row in drops] == [
        ("small", "drop_small_image"), ("broken", "source"),
    ]  # fmt: skip
    assert drops[1]["reason"].startswith("image unreadable: ")


def test_an_agreement_opens_figures_without_a_licence_but_not_for_passing_on_what_is_not_open(tmp_path):
    closed = sample(licence="NOASSERTION", access="credentialed")
    words_of_it = {"agreement": "the publisher says so", "tmp_path": tmp_path}
    assert len(taken(record(closed), use="research", **words_of_it)[0]) == 1
    assert taken(record(closed), use="redistribute", **words_of_it)[0] == []


def test_the_context_is_whole_paragraphs_while_there_is_room():
    texts = [words(5, n) for n in range(3)]
    given = sample(mentions=tuple(Mention(text=text) for text in texts))
    caption = f"Caption: {given.answer.text}"
    room = len(caption) + len(texts[0]) + 2
    assert context_of(given, max_letters=room) == f"{caption}\n\n{texts[0]}"
    assert context_of(given, max_letters=room - 1) == caption
    assert context_of(given, max_letters=20) == caption[:20]
