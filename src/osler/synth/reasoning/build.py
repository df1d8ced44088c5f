"""Build a reasoning set: stores of articles to pieces, pieces through all steps, finished pieces to files.

A piece is a pure function of its figures, the rules and the models' answers, which are kept as they come. So a run that
was killed or paused goes on with the first piece that is not finished, and asks nothing twice.
"""

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.curate.estimate import estimate_cost
from osler.curate.mixture import Terms
from osler.curate.operator import Apply, Operator, Workplace
from osler.curate.pieces import build_operator, read_operator
from osler.endpoint.served import asked_lines, begin_asking
from osler.store.reader import Store
from osler.synth.reasoning.assemble import Assembly, assemble
from osler.synth.reasoning.config import ReasoningConfig
from osler.synth.reasoning.describe import describe_set
from osler.synth.reasoning.figures import Choosing, figure_cases
from osler.synth.reasoning.parts import FOLDER, has_part, write_part
from osler.synth.reasoning.piece import Asking, run_steps
from osler.synth.reasoning.quality import write_quality
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.source import Piece, article_splits, open_stores, piece_records, plan_pieces
from osler.synth.reasoning.steps import STEPS

_KEPT = ".cache"  # hidden, so no output of the run: it holds times and the order of arrival


def build_set(config: ReasoningConfig, out: Path, log: Log) -> Outcome:
    """Write shards, index, published layout, evidence, drops, answers, `quality.json` and card under `out`.

    Raises:
        PausedError: an endpoint gave no answer or the budget is spent; the same command goes on.
    """
    stores = open_stores([Path(folder) for folder in config.stores])
    pieces = plan_pieces(stores, config.store_splits, piece_figures=config.piece_figures)
    rules = config.rules()
    choosing = Choosing(
        use=config.use,
        agreement=config.agreement,
        operators=_operators(config, out),
        splits=article_splits(stores, config.store_splits, config.splits.plain()),
        max_side_px=config.max_side_px,
    )
    asking = Asking(endpoints=config.endpoints(), kept=out / _KEPT, out=out)
    begin_asking(asking.kept)
    try:
        made = (make_piece(piece, stores, choosing=choosing, asking=asking, rules=rules) for piece in pieces)
        for _ in log.progress(made, "reason", total=len(pieces), unit="pieces"):
            pass
    finally:
        for line in asked_lines(asking.kept):
            log.info(line)
    estimate = partial(estimate_cost, **config.tiles.model_dump())
    how = Assembly(out=out, name=config.name, seed=config.seed, shard_records=config.shard_records, estimate=estimate)
    assemble(pieces, stores, how)
    num_figures = _num_figures(stores, config)
    terms = _terms(stores, config)
    write_quality(out, num_figures=num_figures, endpoints=asking.endpoints, rules=rules)
    counts = describe_set(out, title=config.title, use=config.use, terms=terms, log=log)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    message = (
        f"{counts['samples']} samples about {counts['figures']} of {counts['figures_read']} figures, "
        f"{counts['drops']} dropped: {out}"
    )
    return Outcome(message, seeds={"seed": config.seed}, counts=counts)


def make_piece(piece: Piece, stores: Sequence[Store], *, choosing: Choosing, asking: Asking, rules: Rules) -> int:
    """Make one piece, unless it is finished; returns its number."""
    if has_part(asking.out, piece.number):
        return piece.number
    records = list(piece_records(piece, stores[piece.store]))
    cases, left_out = figure_cases(records, choosing, rules)
    accepted, drops = run_steps(cases, asking, rules)
    write_part(asking.out, piece.number, accepted=accepted, drops=[*left_out, *drops])
    return piece.number


def plan_lines(config: ReasoningConfig) -> Iterator[str]:
    """What a run would read, and how much it would ask at most."""
    stores = open_stores([Path(folder) for folder in config.stores])
    plan_pieces(stores, config.store_splits, piece_figures=config.piece_figures)
    splits = article_splits(stores, config.store_splits, config.splits.plain())
    num_figures = _num_figures(stores, config)
    by_split = {split: list(splits.values()).count(split) for split in dict.fromkeys(splits.values())}
    articles = ", ".join(f"{count:,} {split}" for split, count in sorted(by_split.items()))
    # Two steps are about the figure; the solvers are asked more than once.
    a_question = len(STEPS) - 4 + config.question.blind_tries + config.question.solve_tries
    yield f"{num_figures:,} figures of {len(splits):,} articles ({articles})"
    yield (
        f"at most {2 + config.max_questions * a_question} questions to models a figure, "
        f"{num_figures * (2 + config.max_questions * a_question):,} in all, second tries aside"
    )


def check_operators(config: ReasoningConfig) -> None:
    """Raise InputError where an operator does more than keep or drop figures by themselves."""
    for entry in config.operators:
        for name, options in entry.items():
            operator, _ = read_operator((name, options))
            if operator.level == "rewrite" or operator.scope == "all":
                raise InputError(
                    f"operator {name!r} changes records or needs to see the whole set, which the builder does not do",
                    fix="Name it in the recipe of osler curate that makes the store.",
                )


def _operators(config: ReasoningConfig, out: Path) -> list[tuple[Operator, Apply]]:
    place = Workplace(out, out / _KEPT)
    return [build_operator(spec, place) for entry in config.operators for spec in entry.items()]


def _num_figures(stores: Sequence[Store], config: ReasoningConfig) -> int:
    return sum(
        store.table(split).num_rows for store in stores for split in config.store_splits if split in store.splits()
    )


def _terms(stores: Sequence[Store], config: ReasoningConfig) -> list[Terms]:
    """The sets that the figures come from, with their published terms."""
    names = {
        name
        for store in stores
        for split in config.store_splits
        if split in store.splits()
        for name in store.table(split)["dataset"].unique().to_pylist()
    }
    return [
        Terms(name, ADAPTERS.load(name).licence, ADAPTERS.load(name).access, config.agreement) for name in sorted(names)
    ]
