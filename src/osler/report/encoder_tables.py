"""Tables of compared encoders: scores by set, differences of pairs, ranks, sets with drops, and copies by name."""

from osler.report.encoders import MEAN, ProtocolGroup
from osler.report.pairs import ARROWS, side
from osler.report.tables import NOT_MEASURED, Table, interval, number
from osler.schema.encoders import Copy, PairOnSet, ProbeComparison
from osler.schema.result import Result

_MAX_COPIES = 200


def scores_table(group: ProtocolGroup, probe: str) -> Table:
    """One row a set, one column an encoder: the ranking metric with its interval; below it without seen images."""
    encoders = group.encoders
    rows = []
    for record in group.sets:
        metric = group.metric(record.name)
        for unseen in (False, True):
            found = [group.score(record.name, probe, name, metric, unseen=unseen) for name in encoders]
            if not any(found):
                continue
            first = next(each for each in found if each)
            words = f"{record.name}, unseen images only" if unseen else record.name
            majority = first.baseline.get("majority")
            counts = (metric, str(first.n), str(first.n_clusters), number(majority.value if majority else None))
            rows.append((words, *counts, *(_cell(each) for each in found)))
    mean = [group.score(MEAN.removesuffix("/"), probe, name, "macro_f1") for name in encoders]
    if any(mean):
        rows.append(("mean over sets", "macro_f1", "", "", "", *(_cell(each) for each in mean)))
    caption = (
        f"{probe}: scores with 95 % intervals over groups and seeds; a mean over seeds. "
        "Unseen images only: without test images that copy a training image or share its group."
    )
    return Table(caption, ("set", "metric", "n", "groups", "majority", *encoders), tuple(rows), 2)


def all_metrics_table(group: ProtocolGroup) -> Table:
    """Every record of the probes on the sets, with its notes."""
    rows = []
    for each in group.results:
        place = group.place(each)
        if place is None or place[0] == MEAN.removesuffix("/"):
            continue
        notes = "; ".join(each.notes)
        rows.append(
            (each.model, each.task, each.metric, notes, number(each.value), interval(each.ci_low, each.ci_high))
        )
    columns = ("encoder", "set and probe", "metric", "notes", "value", "95 % interval")
    return Table("Every score with its values by seed.", columns, tuple(rows), 4)


def pairs_table(comparison: ProbeComparison) -> Table:
    """Differences of two encoders on each set and on the mean over sets."""
    rows = tuple(_pair(pair) for pair in comparison.pairs)
    caption = (
        f"{comparison.probe}: the first encoder minus the second on the same images and seeds. ▲: the first is better, "
        "▼: the second, =: not told apart (5 %; Holm's correction over sets and pairs, and over pairs for the mean). "
        "The smallest found is the difference that such a comparison finds four times in five."
    )
    columns = (
        "first",
        "second",
        "set",
        "",
        "difference",
        "95 % interval",
        "p",
        "p (Holm)",
        "smallest found",
    )
    return Table(caption, columns, rows, 4)


def means_table(group: ProtocolGroup) -> Table:
    """Mean macro-F1 over the sets: one row a probe, one column an encoder."""
    rows = []
    for probe in group.probes:
        found = [group.score(MEAN.removesuffix("/"), probe, name, "macro_f1") for name in group.encoders]
        if any(found):
            rows.append((probe, *(_cell(each) for each in found)))
    caption = (
        "Mean macro-F1 over the sets with 95 % intervals over groups and seeds, for these sets and not for others."
    )
    return Table(caption, ("probe", *group.encoders), tuple(rows), 1)


def ranks_text(comparison: ProbeComparison) -> str:
    """Mean ranks over sets with the tests that take sets as the sample, in words."""
    ranking = comparison.ranking
    if ranking is None:
        return "No ranking."
    order = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(ranking.encoders, ranking.mean_ranks, strict=True))
    p = NOT_MEASURED if ranking.friedman_p is None else f"{ranking.friedman_p:.3f}"
    return (
        f"{comparison.probe}: mean ranks over {ranking.num_sets} sets: {order}. Friedman's p {p} "
        f"({ranking.friedman_test}). {ranking.verdict}"
    )


def wilcoxon_table(group: ProtocolGroup) -> Table:
    """Wilcoxon's test over sets of each probe and pair."""
    rows = tuple(
        (each.probe, pair.first, pair.second, pair.wilcoxon_test, number(pair.wilcoxon_p))
        for each in group.comparisons
        for pair in each.pairs
        if pair.wilcoxon_test
    )
    caption = (
        "Wilcoxon's signed-rank test with sets as the sample, Holm's correction over the pairs of a probe. With N sets "
        "its p is at least 2 / 2^N: five sets or fewer never come below 5 %."
    )
    return Table(caption, ("probe", "first", "second", "test", "p (Holm)"), rows, 4)


def sets_table(group: ProtocolGroup) -> Table:
    """The sets: images, groups, splits, classes, and what was dropped and why."""
    rows = tuple(
        (
            each.name,
            each.modality,
            each.licence,
            ", ".join(f"{split or 'cut by seed'} {count}" for split, count in each.splits.items()),
            ", ".join(f"{name} {count}" for name, count in each.per_class.items()),
            "; ".join(f"{reason}: {count}" for reason, count in each.drops.items()) or "none",
            str(each.images),
            str(each.groups),
        )
        for each in group.sets
    )
    columns = ("set", "modality", "licence", "splits", "classes", "dropped rows", "images", "groups")
    return Table("The image sets.", columns, rows, 6)


def copies_table(group: ProtocolGroup) -> Table:
    """Images of a set that show one picture, by name; those across published splits and with two labels first."""
    rows = [_copy(each.name, copy) for each in group.sets for copy in each.copies]
    num = len(rows)
    rows.sort(key=lambda row: row[0])
    shown = tuple(row for _, row in rows[:_MAX_COPIES])
    caption = f"Copies: {num} pairs of images that show one picture, exactly or nearly."
    if num > len(shown):
        caption += f" The first {len(shown)} are shown; sets.json holds all."
    return Table(caption, ("set", "image", "the same picture", "classes", "", "rule", "likeness"), shown, 6)


def _copy(set_name: str, copy: Copy) -> tuple[tuple[bool, ...], tuple[str, ...]]:
    """How a pair is sorted, and its row."""
    is_across = copy.first_split != copy.second_split
    differs = copy.first_classes != copy.second_classes
    marks = (
        *(("across splits",) if is_across else ()),
        *(("different labels",) if differs else ()),
        *(("for a person to judge",) if copy.doubtful else ()),
    )
    labels = ", ".join(dict.fromkeys([*copy.first_classes, *copy.second_classes]))
    row = (set_name, copy.first, copy.second, labels, ", ".join(marks), copy.rule, f"{copy.score:.3f}")
    return (not is_across, not differs, copy.doubtful), row


def others_table(group: ProtocolGroup) -> Table:
    """Records of other measurements of the encoders."""
    rows = tuple(
        (
            each.model,
            each.task,
            each.metric,
            "; ".join(each.notes),
            number(each.value),
            interval(each.ci_low, each.ci_high),
            str(each.n),
        )
        for each in group.others
    )
    columns = ("encoder", "measurement", "metric", "notes", "value", "95 % interval", "n")
    return Table("Further measurements of the encoders.", columns, rows, 4)


def _cell(found: Result | None) -> str:
    if found is None or found.value is None:
        return NOT_MEASURED
    if found.ci_low is None or found.ci_high is None:
        return number(found.value)
    return f"{number(found.value)} ({interval(found.ci_low, found.ci_high)})"


def _pair(pair: PairOnSet) -> tuple[str, ...]:
    found = pair.difference
    return (
        pair.first,
        pair.second,
        "mean over sets" if pair.set_name == MEAN.removesuffix("/") else pair.set_name,
        ARROWS[side(found)],
        number(found.value),
        interval(found.ci_low, found.ci_high),
        number(found.p),
        number(found.p_holm),
        number(found.mde),
    )
