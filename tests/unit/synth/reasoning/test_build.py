"""The whole builder against a scripted model over HTTP: every planted bad answer is rejected with the right reason."""

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

from chat_server import Fault, chat_server
from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate.asking.record import read_asked
from osler.datasets.dataset import read_drafts
from osler.endpoint.ask import PausedError
from osler.store.reader import Store
from osler.synth import run as synth
from osler.synth.reasoning.case import figure_of
from osler.synth.reasoning.quotes import find_quote
from reasoning_world import ScriptedModel, curated, draw_articles, options_of, right_letter, words

NOWHERE = "words that stand nowhere in this source"
NUM_ARTICLES, NUM_FIGURES = 18, 3


def changed(**fields):
    return lambda good, number: {**good, **fields}


def option(number, text):
    return lambda good, n: {
        **good, "options": [text if k == number else each for k, each in enumerate(good["options"])],
        "answer": text if number == 0 else good["answer"],
    }  # fmt: skip


def category(**fields):
    return lambda good, n: {"categories": [{**good["categories"][0], **fields}]}


def unit(axis, **fields):
    return lambda good, n: {**good, axis: [{**good[axis][0], **fields}]}


def sentence(**fields):
    return lambda good, n: {"sentences": [{**good["sentences"][0], **fields}, *good["sentences"][1:]]}


def conclusion(text):
    return lambda good, n: {**good, "conclusion": text.format(good["conclusion"])}


def always_right(good, number):
    return RIGHT


RIGHT = {"answer": "RIGHT", "reason": "known by heart"}
GARBAGE = "I am sorry, but here is some prose."

# The step, what is planted there, the kind of the reason, and whether the figure itself goes.
PLANTED = [
    ("screen", changed(relevant=False, reason="a bar chart"), "not clinically relevant", True),
    ("screen", changed(matches=False, reason="another film"), "text does not match the image", True),
    ("screen", changed(informative=False, reason="no word of it"), "text explains nothing", True),
    ("screen", lambda good, n: GARBAGE, "no readable answer", True),
    ("screen", lambda good, n: Fault(400, '{"error": {"message": "too large"}}'), "question refused", True),
    ("assign", changed(categories=[]), "no eligible category", True),
    ("assign", category(category="astrology"), "unknown category", False),
    ("assign", category(what=NOWHERE), "quote not in the source (what)", False),
    ("assign", category(why=NOWHERE), "quote not in the source (why)", False),
    ("assign", category(why="the reason"), "quote too short (why)", False),
    ("write", lambda good, n: {**good, "options": good["options"][:3]}, "number of options", False),
    ("write", changed(answer="something else"), "answer is no option", False),
    ("write", lambda good, n: {**good, "stem": f"{good['stem']} Is it {good['answer']}?"}, "answer in the stem", False),
    ("write", option(2, "All of the above"), "option is a catch-all", False),
    ("write", option(2, "B. a lettered one"), "option with a letter in front", False),
    ("write", option(0, words(20, "long")), "answer stands out", False),
    ("write", lambda good, n: {**good, "options": [good["options"][0]] * 4}, "options repeat or are empty", False),
    ("write", lambda good, n: {**good, "stem": f"{good['stem']} See the caption."}, "speaks of the source", False),
    ("write", changed(stem="kase-18?"), "stem length", False),
    ("write", lambda good, n: {**good, "stem": f"{good['stem']} <think>no"}, "mark of the layout inside", False),
    ("write", lambda good, n: json.dumps(good)[:-9], "no readable answer", False),
    ("write", lambda good, n: {**good, "comment": "extra"}, "no readable answer", False),
    ("support", changed(supported=False, quote=""), "not supported by the source", False),
    ("support", changed(quote=NOWHERE), "quote not in the source", False),
    ("leakage", changed(leaks=True, reason="only one fits"), "answer leaks", False),
    ("blind", always_right, "solved without the image", False),
    ("solve", changed(answer=None), "not solved with the image", False),
    ("solve", changed(answer="J"), "not solved with the image", False),
    ("solve", changed(answer="E or F"), "no readable answer", False),
    ("trace", conclusion("So the answer is B: {}"), "names a letter", False),
    ("trace", conclusion("As the caption says. {}"), "speaks of the source", False),
    ("trace", conclusion("So it is what was thought."), "conclusion without the answer", False),
    ("trace", changed(visual_evidence="A line.", clinical_interpretation="A break."), "trace length", False),
    ("trace", conclusion("{}</think><answer>C</answer>"), "mark of the layout inside", False),
    ("consistency", sentence(basis="none", quote=""), "unsupported claim", False),
    ("consistency", sentence(quote=NOWHERE), "quote not in the source", False),
    ("consistency", sentence(basis="image", quote=""), "too little from the source", False),
    ("consistency", lambda good, n: {"sentences": good["sentences"][:-1]}, "sentences not judged one by one", False),
    ("justification", changed(justified=False, reason="a gap"), "answer not justified", False),
    ("utility", changed(useful=False, reason="fits any film"), "reasoning of no use", False),
]  # fmt: skip
# Planted in figures of articles of the test split, where units are asked for.
PLANTED_UNITS = [
    ("rubric", unit("knowledge", quote=NOWHERE), "unit's quote not in the trace", False),
    ("rubric", changed(rationale=[]), "number of units", False),
    ("rubric", unit("perception", presence_question="It speaks of this."), "unit asks no question", False),
    ("rubric", lambda good, n: {**good, "knowledge": good["perception"]}, "two units say the same", False),
]  # fmt: skip


class Model(ScriptedModel):
    """The scripted model whose planted blind solver knows the answers."""

    known = ""

    def _blind(self, text, mark):
        good = super()._blind(text, mark)
        self.known = right_letter(text, mark)
        return good

    def __call__(self, body):
        answer = super().__call__(body)
        return answer.replace('"RIGHT"', json.dumps(self.known)) if isinstance(answer, str) else answer


def recipe(url, store, **more):
    endpoint = {"url": url, "model": "toy", "max_tries": 2, "timeout_s": 2.0, "concurrency": 4}
    return {
        "generator": "reasoning", "stores": [str(store)], "roles": {"default": endpoint}, "piece_figures": 16,
        "shard_records": 4, "text": {"min_words": 20}, "splits": {"train": 0.6, "test": 0.4}, "seed": 1, **more,
    }  # fmt: skip


def build(url, store, out, **more):
    out.mkdir(exist_ok=True)
    return synth.run(synth.parse(recipe(url, store, **more)), out, device="cpu", log=Log(quiet=True))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("articles")
    draw_articles(folder / "a", num_articles=NUM_ARTICLES, num_figures=NUM_FIGURES, licensed=lambda n: n != 0)
    return curated(folder / "a", folder / "store")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A store of six figures."""
    folder = tmp_path_factory.mktemp("few_articles")
    draw_articles(folder / "a", num_articles=3, num_figures=2, licensed=lambda n: True)
    return curated(folder / "a", folder / "store")


def split_marks(store):
    """The marks of licensed figures by the split of their article."""
    from osler.synth.reasoning.source import article_splits, open_stores

    splits = article_splits(open_stores([store]), ["train"], {"train": 0.6, "validation": 0.0, "test": 0.4})
    marks = {"train": [], "test": []}
    for article in range(1, NUM_ARTICLES):
        name = splits[f"jats_articles/PMC{article}"]
        marks[name] += [f"kase-{article * NUM_FIGURES + n:02d}" for n in range(NUM_FIGURES)]
    return marks


def id_of(mark):
    article, number = divmod(int(mark.removeprefix("kase-")), NUM_FIGURES)
    return f"jats_articles/train/PMC{article}/f{number}"


@pytest.fixture(scope="module")
def built(store, tmp_path_factory):
    """A finished set, the planted answers by mark with the expected reason, and the model's record of questions."""
    marks = split_marks(store)
    train, test = marks["train"], marks["test"]
    rows = [(test.pop(0), *each) for each in PLANTED_UNITS]
    free = [*train[3:], *test, *train[:3]]
    assert len(free) > len(PLANTED) + 6
    rows += [(mark, *each) for mark, each in zip(free, PLANTED, strict=False)]
    good = free[len(PLANTED) :]
    planted = {(mark, step): plant for mark, step, plant, _, _ in rows}
    # These are mended on the second try: prose first, a late reply first, half a reply first.
    planted[good[0], "write"] = lambda answer, n: GARBAGE if n == 0 else answer
    planted[good[1], "trace"] = lambda answer, n: Fault(wait_s=2.3) if n == 0 else answer
    planted[good[2], "draft"] = lambda answer, n: Fault(503, headers={"Retry-After": "0"}) if n == 0 else answer
    planted[good[3], "solve"] = lambda answer, n: Fault(cut=True) if n == 0 else answer
    # One question says what another one says.
    same = {"stem": f"The patient {good[5]} {words(25, 'stem', good[4])}?"}
    planted[good[4], "write"] = lambda answer, n: answer
    planted[good[5], "write"] = lambda answer, n: {**answer, **same}
    model = Model(planted)
    out = tmp_path_factory.mktemp("built") / "out"
    with chat_server(model) as server:
        outcome = build(server.url, store, out)
    return out, rows, good, model, outcome


def test_every_planted_answer_is_rejected_with_its_reason(built):
    out, rows, _, _, _ = built
    drops = {row["id"]: row for row in pq.read_table(out / "drops.parquet").to_pylist()}
    got = {id: (row["rule"], row["reason"].partition(":")[0]) for id, row in drops.items()}
    for mark, step, _, reason, is_figure in rows:
        names = [id for id in got if id.startswith(id_of(mark)) and (id == id_of(mark)) == is_figure]
        assert [got[id] for id in names] == [(step, reason)], (mark, step, reason)


def test_good_answers_are_accepted_and_nothing_else(built):
    out, rows, good, _, outcome = built
    store = Store(out)
    ids = {figure_of(id) for split in store.splits() for id in store.table(split)["sample_id"].to_pylist()}
    untouched = {id_of(f"kase-{n:02d}") for n in range(NUM_FIGURES, NUM_ARTICLES * NUM_FIGURES)}
    assert ids == untouched - {id_of(row[0]) for row in rows} and {id_of(mark) for mark in good} >= ids - set()
    assert outcome.counts["samples"] == len(ids) and outcome.counts["split_overlap_groups"] == 0


def test_figures_without_a_licence_are_left_out_before_anyone_is_asked(built):
    out, _, _, model, _ = built
    drops = [row for row in pq.read_table(out / "drops.parquet").to_pylist() if "PMC0/" in row["id"]]
    assert [(row["rule"], row["reason"]) for row in drops] == [
        ("use", "licence NOASSERTION is not known to permit anything")
    ] * NUM_FIGURES
    assert not {mark for mark, _ in model.asked} & {f"kase-{n:02d}" for n in range(NUM_FIGURES)}


def test_every_quote_occurs_in_its_source(built):
    out, _, _, _, _ = built
    rows = [row for path in sorted((out / "evidence").glob("*")) for row in pq.read_table(path).to_pylist()]
    source = {id: sample for id, sample in stored(out).items()}
    assert len(rows) == len(source)
    for row in rows:
        assert {quote["what"] for quote in row["quotes"]} == {"what", "why", "answer", "sentence 1"}
        for quote in row["quotes"]:
            assert row["context"][quote["start"] : quote["end"]] == quote["quote"] and len(quote["quote"].split()) > 3
    answers = {row["id"]: json.loads(row["answer"]) for row in read_asked(out, ["support"]).to_pylist()}
    for row in rows:
        assert find_quote(answers[f"{row['id']}~0"]["quote"], row["context"])


def stored(out):
    store = Store(out)
    return {
        sample.id: sample for split in store.splits() for record in store.records(split) for sample in record.samples
    }


def test_the_published_layout_reads_back(built):
    out, _, _, _, _ = built
    made = stored(out)
    adapter = ADAPTERS.load("open_med_reason")
    seen = {}
    for split in ("train", "test"):
        for draft in read_drafts(adapter, "open_med_reason", out, split=split):
            assert draft.sample is not None, draft.skip
            seen[draft.sample.provenance.record_id] = draft.sample
    assert seen.keys() == made.keys()
    for id, sample in seen.items():
        twin = made[id]
        for field in ("question", "answer", "reasoning", "rubric", "split", "task", "tags"):
            assert getattr(sample, field) == getattr(twin, field), field
        assert sample.group == f"open_med_reason/{twin.group}" and sample.provenance.licence == "CC-BY-4.0"
        assert bool(sample.rubric) == (sample.split == "test")
    units = [unit for sample in seen.values() for unit in sample.rubric]
    assert {unit.axis for unit in units} == {"perception", "knowledge", "rationale"} and all(
        unit.source_quote and unit.presence_question.endswith("?") for unit in units
    )


def test_letters_are_balanced_and_the_right_option_is_the_one_that_was_written(built):
    out, _, _, _, _ = built
    store, made = Store(out), stored(out)
    for split in store.splits():
        letters = Counter(sample.answer.letter for sample in made.values() if sample.split == split)
        counts = [letters[letter] for letter in "ABCD"]
        assert max(counts) - min(counts) <= 1
    for sample in made.values():
        mark = f"kase-{int(sample.group.rpartition('PMC')[2]) * NUM_FIGURES + int(figure_of(sample.id)[-1]):02d}"
        assert sample.answer.text == options_of(mark)[0] and sorted(sample.answer.options) == sorted(options_of(mark))


def test_answers_that_come_late_or_broken_are_asked_for_again(built):
    _, _, good, model, _ = built
    asked = Counter(model.asked)
    assert [asked[good[n], step] for n, step in enumerate(("write", "trace", "draft", "solve"))] == [2, 2, 2, 2]


def test_the_ledger_of_figures_and_questions_balances(built):
    out, _, _, model, outcome = built
    quality = json.loads((out / "quality.json").read_text())
    figures, questions = quality["figures"], quality["questions"]
    assert figures["read"] == NUM_ARTICLES * NUM_FIGURES == outcome.counts["figures_read"]
    dropped = sum(n for kinds in figures["rejected"].values() for n in kinds.values())
    assert figures["read"] == dropped + figures["with_questions"]
    rejected = sum(n for kinds in questions["rejected"].values() for n in kinds.values())
    assert questions["proposed"] == questions["accepted"] + rejected
    assert questions["rejected"]["blind"] == {"solved without the image": 1}
    steps = quality["steps"]
    assert steps["blind"]["questions"] == 3 * steps["leakage"]["questions"] - 3 and steps["blind"]["tokens_in"] > 0
    assert steps["screen"]["without_answer"] == 2 and steps["screen"]["prompt_sha256"]
    assert (out / "card.md").is_file() and (out / "croissant.json").is_file() and not (out / ".parts").exists()
    assert sum(split["samples"] for split in quality["splits"].values()) == questions["accepted"]


def test_a_finished_run_asked_nothing_twice_and_asks_nothing_again(built, store):
    out, _, good, model, _ = built
    mended = {(good[0], "write"), (good[1], "trace"), (good[2], "draft"), (good[3], "solve")}
    unreadable = {row["id"].partition("~")[0] for row in read_asked(out).to_pylist() if row["problem"]}
    for (mark, step), count in Counter(model.asked).items():
        allowed = {"blind": 3}.get(step, 1) + ((mark, step) in mended)
        is_unreadable = any(id.startswith(id_of(mark)) for id in unreadable)
        assert count <= allowed + is_unreadable, (mark, step, count)


def test_an_endpoint_that_is_down_pauses_the_run_and_it_goes_on(small, tmp_path):
    one = {"splits": {"train": 1.0}}
    with pytest.raises(PausedError, match="paused: no answer about .*cannot reach"):
        build("http://127.0.0.1:9/v1", small, tmp_path / "out", **one)
    model = ScriptedModel()
    with chat_server(model) as server:
        outcome = build(server.url, small, tmp_path / "out", **one)
    assert (outcome.counts["samples"], outcome.counts["drops"]) == (6, 0)


def test_a_spent_budget_pauses_and_no_question_is_paid_for_twice(small, tmp_path):
    model, pauses = ScriptedModel(), []
    one = {"splits": {"train": 1.0}, "piece_figures": 3}
    with chat_server(model) as server:
        while len(pauses) < 20:
            try:
                build(server.url, small, tmp_path / "out", budget={"max_tokens": 6000}, **one)
                break
            except PausedError as error:
                pauses.append(str(error))
    assert 2 < len(pauses) < 20 and all("budget of 6,000 tokens is used up" in each for each in pauses)
    assert all(count == {"blind": 3}.get(step, 1) for (_, step), count in Counter(model.asked).items())
    with chat_server(ScriptedModel()) as server:
        build(server.url, small, tmp_path / "whole", **one)
    for name in ("drops.parquet", "quality.json", "data/train-00000.parquet", "shards/train-00000.tar"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_budget_in_money_needs_prices():
    with pytest.raises(InputError, match="needs the price of every model; roles.screen has none"):
        synth.parse(recipe("http://h/v1", "store", budget={"max_cost": 1.0}))
