"""`osler score` with `method: preference`: kept answers of models against each other, by a judge and by readers."""

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt

from osler.core.catalog import TASKS
from osler.core.config import Config
from osler.core.errors import InputError, OslerError
from osler.core.files import atomic_write, existing_file, existing_folder, sha256_json, write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome as Finished
from osler.endpoint.served import EndpointConfig, asked_lines, begin_asking
from osler.evaluation.judging.answers import Stored, question_text, real_answers, stored_samples
from osler.evaluation.judging.labels import agreement_row
from osler.evaluation.judging.reader_page import reader_page
from osler.evaluation.judging.readers import Duel, Page, page_of, read_export
from osler.evaluation.judging.verdicts import Verdicts, read_verdicts
from osler.scoring.judge.pairs import PROMPTS, AnswerPair, judge_pairs
from osler.scoring.judge.prompts import check_pinned, prompt_hashes
from osler.scoring.judge.rubric import trace_text
from osler.scoring.preference import Outcome, Preference, strengths, win_rate
from osler.store.shards import Store

_VALUES: Mapping[Outcome, float] = {"first": 1.0, "second": -1.0, "tie": 0.0, "both_bad": 0.0, "inconsistent": 0.0}
_JUDGE, _READERS = "judge", "all readers"


class PreferenceConfig(Config):
    """A recipe of `osler score` with `method: preference`.

    answers: `predictions.jsonl` of at least two models, by name; data: the folders they were asked from. A judge and
    readers need both.
    tasks: only these; () takes all. judge: a model behind an endpoint that is asked about every pair in both orders.
    readers: names of people, for each of whom a blinded page is written. num_cases: of each page, drawn from the seed;
    null takes all. exports: files that the pages gave back. verdicts: exports of the served page's blinded readings,
    where the models answered while the reader waited; they need neither answers nor data. prompt_sha256: as in a
    recipe with `method: rubric`.
    """

    method: Literal["preference"]
    answers: dict[str, Path] = {}
    data: tuple[Path, ...] = ()
    tasks: tuple[str, ...] = ()
    judge: EndpointConfig | None = None
    readers: tuple[str, ...] = ()
    num_cases: PositiveInt | None = None
    exports: tuple[Path, ...] = ()
    verdicts: tuple[Path, ...] = ()
    prompt_sha256: dict[str, str] = Field(default_factory=lambda: prompt_hashes(PROMPTS))
    seed: int = 0


@dataclass(frozen=True)
class _Rated:
    """What one rater said of the pairs, by their keys, and what is counted of it."""

    outcomes: Mapping[str, Outcome]
    counts: Mapping[str, int]


def check(config: PreferenceConfig) -> PreferenceConfig:
    """The recipe: someone who prefers, names that can name files, instructions pinned."""
    check_pinned(config.prompt_sha256, PROMPTS)
    for name in config.tasks:
        TASKS.load(name)
    if config.judge is None and not config.readers and not config.verdicts:
        raise InputError(
            "recipe: nobody prefers",
            expected="some of judge (an endpoint), readers (names of people), verdicts (of the served page)",
        )
    if (config.judge or config.readers) and (len(config.answers) < 2 or not config.data):
        raise InputError(
            "recipe: a judge and readers need answers to compare",
            expected="answers of at least two models, and the data they were asked from",
            got=f"{len(config.answers)} answers, {len(config.data)} data",
        )
    names = [name.replace("-", "").replace("_", "") for name in config.readers]
    if len(set(config.readers)) < len(names) or not all(name.isalnum() for name in names):
        raise InputError(
            "recipe: readers must name each once, with letters, digits, - and _", got=", ".join(config.readers)
        )
    if config.exports and not config.readers:
        raise InputError("recipe: exports need readers", fix="Name the readers for whom the pages were written.")
    return config


def inputs(config: PreferenceConfig) -> list[Path]:
    """The answers, the data and what readers gave back."""
    return [
        *map(existing_file, config.answers.values()),
        *map(existing_folder, config.data),
        *map(existing_file, config.exports),
        *map(existing_file, config.verdicts),
    ]


def run(config: PreferenceConfig, out: Path, log: Log) -> Finished:
    """Write the readers' pages, ask the judge, read what came back, and say who is preferred, how surely.

    Raises:
        PausedError: the endpoint gave no answer or the budget is spent; the same command goes on.
        OslerError: the judge gave no readable verdict at all.
    """
    stores = [Store(folder) for folder in config.data]
    duels, stored, left_out = _duels(config, stores) if config.judge or config.readers else ({}, {}, Counter[str]())
    pages = {reader: page_of(reader, duels, num_cases=config.num_cases, seed=config.seed) for reader in config.readers}
    _write_pages(out, pages, stored, stores, log)
    rated = _read_back(config.exports, pages)
    if config.judge is not None:
        rated = {_JUDGE: _judged(config.judge, duels, out, log)} | rated
    served = read_verdicts(config.verdicts)
    models = [*config.answers, *(name for name in served.models if name not in config.answers)]
    duels |= served.duels
    rated |= _served(served, rated)
    record = {
        "schema_version": 1,
        "models": models,
        "num_pairs": len(duels),
        "left_out": dict(left_out),
        "raters": _tables(rated, duels, models, config.seed),
        "agreement": _agreement(rated, duels, config.seed),
        "prompt_sha256": config.prompt_sha256,
    }
    _write_outcomes(out, rated, duels)
    write_json(out / "preference.json", record)
    num_exports = len(config.exports) + len(config.verdicts)
    counts = {"pairs": len(duels), "pages": len(pages), "exports": num_exports, **left_out}
    return Finished(_message(record, pages), seeds={"score": config.seed}, counts=counts)


def _duels(
    config: PreferenceConfig, stores: Sequence[Store]
) -> tuple[dict[str, Duel], dict[str, Stored], Counter[str]]:
    """Every two models' answers to an item that both answered; and how many are left out, by why."""
    answers = {
        name: {(p.task, p.item_id): p for p in real_answers(path, tasks=config.tasks)}
        for name, path in config.answers.items()
    }
    ids = [item_id for own in answers.values() for _, item_id in own]
    stored = stored_samples(ids, stores)
    left_out: Counter[str] = Counter()
    duels: dict[str, Duel] = {}
    for first, second in combinations(answers, 2):
        both = [key for key in answers[first] if key in answers[second]]
        left_out["answered_by_one_of_two"] += len(answers[first]) + len(answers[second]) - 2 * len(both)
        for key in both:
            one, other = answers[first][key], answers[second][key]
            if "error" in (one.status, other.status):
                left_out["engine_failed"] += 1
                continue
            name = sha256_json([*key, first, second])
            texts = (trace_text(one.raw), trace_text(other.raw))
            asked = question_text(stored[one.item_id].sample)
            duels[name] = Duel(name, first, second, *key, one.cluster, asked, *texts)
    if not duels:
        raise InputError(
            "no item was answered by two of the models",
            expected="predictions of the same items",
            got=", ".join(f"{name}: {len(own)} answers" for name, own in answers.items()),
        )
    return duels, stored, left_out


def _judged(judge: EndpointConfig, duels: Mapping[str, Duel], out: Path, log: Log) -> _Rated:
    kept = out / ".cache" / _JUDGE
    begin_asking(kept)
    pairs = [AnswerPair(key, duel.question, duel.first_text, duel.second_text) for key, duel in duels.items()]
    found = judge_pairs(pairs, endpoint=judge.plain(), kept=kept, name=_JUDGE)
    for line in asked_lines(kept):
        log.info(line)
    unread = [each for each in found.values() if each.outcome is None]
    if len(unread) == len(found):
        raise OslerError(
            f"the judge gave no readable verdict on any of {len(found)} pairs; the first: {unread[0].problem}. Use a "
            "model that follows a JSON schema, or raise max_answer_tokens"
        )
    if unread:
        log.warn(f"judge: {len(unread)} of {len(found)} pairs have no readable verdict, left out")
    sides = Counter(side for each in found.values() for side in (each.shown, each.swapped) if side is not None)
    counts = {"unread": len(unread), **{f"said_{side}": sides[side] for side in ("left", "right", "tie", "both_bad")}}
    return _Rated({key: each.outcome for key, each in found.items() if each.outcome is not None}, counts)


def _write_pages(
    out: Path, pages: Mapping[str, Page], stored: Mapping[str, Stored], stores: Sequence[Store], log: Log
) -> None:
    """`readers/NAME.html` for each reader, and `key.json`, which says who stood where and is not for readers."""
    for reader, page in pages.items():
        write_text(out / "readers" / f"{reader}.html", reader_page(page, stored, stores))
        telling = page.names_told()
        if telling:
            log.warn(f"the page of {reader}: {telling} of {len(page.cases)} cases hold a model's name in their words")
    if pages:
        write_json(out / "key.json", {reader: _key(page) for reader, page in pages.items()})


def _key(page: Page) -> dict[str, Any]:
    cases = [
        {
            "case": case.id,
            "task": case.duel.task,
            "item_id": case.duel.item_id,
            "left": case.duel.first if case.first_is == "left" else case.duel.second,
            "right": case.duel.second if case.first_is == "left" else case.duel.first,
        }
        for case in page.cases
    ]
    return {"page": page.id, "cases": cases}


def _read_back(exports: Sequence[Path], pages: Mapping[str, Page]) -> dict[str, _Rated]:
    rated: dict[str, _Rated] = {}
    for path in exports:
        reader, outcomes = read_export(path, pages)
        if reader in rated:
            raise InputError(f"{path} is a second export of reader {reader}", fix="Name the last one alone.")
        rated[reader] = _Rated(outcomes, {"unanswered": len(pages[reader].cases) - len(outcomes)})
    return rated


def _served(served: Verdicts, rated: Mapping[str, _Rated]) -> dict[str, _Rated]:
    """What was said on the served page, by reader."""
    twice = [name for name in served.outcomes if name in rated or name in (_JUDGE, _READERS)]
    if twice:
        raise InputError(
            "a reader of the served page has the name of another rater",
            got=twice[0],
            fix="Give the readers of pages and of the served page names of their own.",
        )
    if served.outcomes and not served.duels:
        raise InputError("the verdicts of the served page judge no case", got=f"{served.left_out.total()} left out")
    return {
        name: _Rated(outcomes, {"left_out": served.left_out.get(name, 0)}) for name, outcomes in served.outcomes.items()
    }


def _tables(
    rated: Mapping[str, _Rated], duels: Mapping[str, Duel], models: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """For each rater, and for all readers together, the win rate of each two models, and all strengths."""
    readers = [each for name, each in rated.items() if name != _JUDGE]
    rows = []
    for name, each in rated.items():
        rows.append(_table(name, _preferences([each], duels), each.counts, models, seed))
    if len(readers) > 1:
        rows.append(_table(_READERS, _preferences(readers, duels), {}, models, seed))
    return rows


def _table(
    name: str, judged: Sequence[Preference], counts: Mapping[str, int], models: Sequence[str], seed: int
) -> dict[str, Any]:
    rates = []
    for first, second in combinations(models, 2):
        own = [each for each in judged if (each.first, each.second) == (first, second)]
        if own:
            found = asdict(win_rate(own, seed=seed))
            estimates = {key: found[key]._asdict() for key in ("rate", "decided", "p")}
            rates.append(found | estimates)
    logs = {model: found._asdict() for model, found in strengths(judged, models, seed=seed).items()}
    return {"rater": name, "n": len(judged), "counts": dict(counts), "win_rates": rates, "log_strengths": logs}


def _preferences(rated: Sequence[_Rated], duels: Mapping[str, Duel]) -> list[Preference]:
    return [
        Preference(duel.first, duel.second, outcome, duel.item_id, duel.cluster)
        for each in rated
        for key, outcome in each.outcomes.items()
        for duel in [duels[key]]
    ]


def _agreement(rated: Mapping[str, _Rated], duels: Mapping[str, Duel], seed: int) -> list[dict[str, Any]]:
    """How each two raters agree on who is better: first, second, or neither."""
    sets = [*combinations(rated, 2), *([tuple(rated)] if len(rated) > 2 else [])]
    rows = []
    for names in sets:
        ratings: dict[str, dict[Hashable, float]] = {
            name: {(key, ""): _VALUES[outcome] for key, outcome in rated[name].outcomes.items()} for name in names
        }
        clusters = {key: duel.cluster for key, duel in duels.items()}
        rows.append(agreement_row("preference", ratings, clusters, level="ordinal", seed=seed))
    return rows


def _write_outcomes(out: Path, rated: Mapping[str, _Rated], duels: Mapping[str, Duel]) -> None:
    with atomic_write(out / "preferences.jsonl", "w") as file:
        for rater, each in rated.items():
            for key, outcome in each.outcomes.items():
                duel = duels[key]
                row = {"rater": rater, "task": duel.task, "item_id": duel.item_id, "cluster": duel.cluster}
                file.write(f"{json.dumps(row | {'first': duel.first, 'second': duel.second, 'outcome': outcome})}\n")


def _message(record: Mapping[str, Any], pages: Mapping[str, Page]) -> str:
    said = [
        f"{row['rater']}: {rate['first']} over {rate['second']} {rate['rate']['value']:.3f} of {rate['n']}"
        for row in record["raters"]
        for rate in row["win_rates"]
    ]
    return "; ".join([*said, *([f"{len(pages)} pages for readers"] if pages else [])])
