"""Tables of what judges and readers said: win rates, strengths of several models, agreement."""

from osler.report.elements import html_table, section
from osler.report.judged import Agreement, Estimate, Judged, Preferred
from osler.report.tables import NOT_MEASURED, Table, interval, number

_OUTCOMES = ("first", "second", "tie", "both_bad", "inconsistent")


def judged_section(judged: Judged) -> str:
    """The section; "" where nothing was judged."""
    tables = [table for each in judged.preferred for table in _preferred_tables(each)]
    tables += [
        _agreement_table(rows, f"Agreement on the units of {folder}: presence, and correctness of what is there.")
        for folder, rows in judged.agreements
    ]
    return section("Judges and readers", "".join(map(html_table, tables))) if tables else ""


def _preferred_tables(found: Preferred) -> list[Table]:
    tables = [_wins_table(found)]
    if len(found.models) > 2:
        tables.append(_strengths_table(found))
    if found.agreement:
        tables.append(_agreement_table(found.agreement, "Agreement on who is better: first, second, or neither."))
    return tables


def _wins_table(found: Preferred) -> Table:
    left_out = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.left_out.items() if count)
    caption = (
        f"Preferences among {found.num_pairs:,} pairs of answers ({found.folder}). Rate: mean points of the first "
        "model, a tie, both bad and an inconsistent judge half a point each, with its 95 % interval by clusters; p: of "
        f"both being as good. Left out: {left_out or 'none'}."
    )
    columns = ("rater", "first", "second", "rate", "without ties", "p", "n", "clusters", *_OUTCOMES, "unread")
    rows = tuple(
        (
            rater.rater,
            rate.first,
            rate.second,
            _words(rate.rate),
            _words(rate.decided),
            f"{rate.p.p:.4f}",
            f"{rate.n:,}",
            f"{rate.n_clusters:,}",
            *(f"{rate.counts.get(name, 0):,}" for name in _OUTCOMES),
            str(rater.counts.get("unread", rater.counts.get("unanswered", 0))),
        )
        for rater in found.raters
        for rate in rater.win_rates
    )
    return Table(caption, tuple(name.replace("_", " ") for name in columns), rows, 3)


def _strengths_table(found: Preferred) -> Table:
    caption = (
        "Strengths of the models (Bradley-Terry, natural logarithm, mean 0), with 95 % intervals. Not measured where a "
        "model never loses a point to the others."
    )
    rows = tuple(
        (rater.rater, model, _words(strength))
        for rater in found.raters
        for model, strength in rater.log_strengths.items()
    )
    return Table(caption, ("rater", "model", "log strength"), rows, 2)


def _agreement_table(rows: tuple[Agreement, ...], caption: str) -> Table:
    columns = ("raters", "about", "same", "Cohen's kappa", "Krippendorff's alpha", "n", "clusters")
    return Table(
        caption,
        columns,
        tuple(
            (
                " and ".join(row.raters),
                row.about,
                number(row.observed),
                number(row.kappa),
                _words(row.alpha),
                f"{row.n:,}",
                f"{row.n_clusters:,}",
            )
            for row in rows
        ),
        2,
    )


def _words(found: Estimate) -> str:
    if found.value is None:
        return NOT_MEASURED
    return f"{number(found.value)} ({interval(found.low, found.high)})"
