"""The audit table of a mix: every set with its rows, images, tokens, weight and terms, for a terminal or a card."""

from collections.abc import Iterable, Mapping, Sequence

from osler.curate.audit import SetAudit
from osler.curate.mixture import Stated, set_weights
from osler.schema.licence import PER_ITEM, licence_of

_HEAD = (
    "set", "split", "published", "read", "kept", "dropped", "images", "text tokens", "tiles", "weight", "share",
    "epochs", "licence", "access", "use",
)  # fmt: skip
_LEFT = {"set", "split", "licence", "access", "use"}
_UNKNOWN = "?"


def audit_lines(
    audits: Sequence[SetAudit], stated: Mapping[str, Stated], *, temperature: float, use: str
) -> Iterable[str]:
    """The table, its totals, and below it the drops by reason, the rows' licences and what is not at hand.

    Args:
        audits: one for each split of each set.
        stated: weights and epochs that the recipe gives, by set.
        temperature: see `mixture.set_weights`.
        use: what the mix is declared to be for.
    """
    cells = [_cells(audit, _draws(audit, audits, stated, temperature), use) for audit in audits]
    yield from aligned(_HEAD, [*cells, _totals(audits)], left=_LEFT)
    yield ""
    for audit in audits:
        yield from _notes(audit)
    absent = [audit for audit in audits if not audit.is_here and not audit.left_out]
    if absent:
        yield f"{len(absent)} of the {len(audits)} are not here: they are weighed by the published counts, and what"
        yield "only files tell is '?'."
    yield "Read as an adapter gives them, before any operator; tokens are estimated, tiles exact over all samples."
    yield "A weight is in samples; epochs are passes over a set while the mix draws as many as its weights add up to."


def aligned(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: set[str]) -> list[str]:
    """Rows as columns of even width; those named in `left` begin at the left."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if name in left else cell.rjust(width)
            for cell, width, name in zip(line, widths, head, strict=True)
        ).rstrip()
        for line in lines
    ]


def _draws(
    audit: SetAudit, audits: Sequence[SetAudit], stated: Mapping[str, Stated], temperature: float
) -> tuple[str, str, str]:
    """Weight, share and epochs of a row among those stored as the same split; unknown where they depend on what is.

    Published splits of one set that are stored as one share its weight by their sizes.
    """
    name, sizes = audit.terms.name, dict[str, int | None]()
    for each in audits:
        if each.stored_split == audit.stored_split:
            before = sizes.get(each.terms.name, 0)
            sizes[each.terms.name] = None if before is None or each.size is None else before + each.size
    # A stated weight is a weight whatever the set holds; its size is needed for the epochs alone.
    has_weight = {key for key in sizes if stated.get(key, Stated()).weight is not None}
    weighed = {key: 1 if size is None else size for key, size in sizes.items() if size is not None or key in has_weight}
    weights = set_weights(weighed, stated, temperature=temperature)
    all_known = len(weighed) == len(sizes)
    whole = sizes[name]
    if audit.size == 0:
        return "0", "0.0%", "0.00"
    if name not in weights or (not all_known and temperature != 1.0):
        return _UNKNOWN, _UNKNOWN, _UNKNOWN
    num_parts = sum(each.terms.name == name and each.stored_split == audit.stored_split for each in audits)
    if num_parts > 1 and (whole is None or audit.size is None):
        return _UNKNOWN, _UNKNOWN, _UNKNOWN
    weight = weights[name] * (audit.size / whole if num_parts > 1 and whole and audit.size else 1.0)
    share = f"{weight / sum(weights.values()):.1%}" if all_known else _UNKNOWN
    epochs = f"{weight / audit.size:.2f}" if audit.size else _UNKNOWN
    return f"{weight:,.6g}" if weight < 1 else f"{weight:,.0f}", share, epochs


def _cells(audit: SetAudit, draws: tuple[str, str, str], use: str) -> tuple[str, ...]:
    here = audit.is_here
    status = "left out" if audit.left_out else "not here"
    images = f"{audit.images:,}" + (f" ({audit.missing:,} not here)" if audit.missing else "")
    return (
        audit.terms.name,
        f"{audit.split} as {audit.as_split}" if audit.as_split else audit.split,
        _number(audit.published),
        _number(audit.read) if here else status,
        _number(audit.kept if here else None),
        _number(audit.dropped.total() if here else None),
        images if here else _UNKNOWN,
        _number(audit.text_tokens if here else None),
        _number(audit.tiles if here else None),
        *draws,
        licence_of(audit.terms.licence).id,
        audit.terms.access,
        _use(audit, use),
    )


def _use(audit: SetAudit, use: str) -> str:
    if audit.terms.forbidden(use):
        return "no"
    if audit.terms.agreement:
        return "by agreement"
    return "row by row" if audit.terms.licence == PER_ITEM else "yes"


def _totals(audits: Sequence[SetAudit]) -> tuple[str, ...]:
    here = [audit for audit in audits if audit.is_here]
    tiles = [audit.tiles for audit in here]
    published = [audit.published for audit in audits]
    return (
        "all",
        "",
        _number(sum(n for n in published if n is not None)) + (" +" if None in published else ""),
        _number(sum(audit.read for audit in here)),
        _number(sum(audit.kept for audit in here)),
        _number(sum(audit.dropped.total() for audit in here)),
        _number(sum(audit.images for audit in here)),
        _number(sum(audit.text_tokens for audit in here)),
        _UNKNOWN if None in tiles else _number(sum(n for n in tiles if n is not None)),
        *[""] * 6,
    )


def _notes(audit: SetAudit) -> Iterable[str]:
    where = f"{audit.terms.name} {audit.split}"
    if audit.left_out:
        yield f"{where}: left out, {audit.left_out}"
    for reason, count in sorted(audit.dropped.items()):
        yield f"{where}: dropped {count:,}, {reason}"
    if len(audit.licences) > 1 or audit.terms.licence == PER_ITEM:
        kinds = (f"{name or 'none stated'} {count:,}" for name, count in sorted(audit.licences.items()))
        if audit.licences:
            yield f"{where}: kept rows by licence: {', '.join(kinds)}"


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"
