"""A conversation that is too long, shortened by words; images and the template's own tokens stay."""

from collections.abc import Collection

from osler.model.prompt import Encoded


def cut_words(encoded: Encoded, limit: int, *, prefix: int, mark_ids: Collection[int]) -> Encoded | None:
    """The conversation with `limit` tokens, or None where that cannot be had.

    The end of the last answer goes first, so that what is learned of it is a true beginning, with no end mark that
    would teach to stop there. Half the room beside the prefix, or the whole answer if it is shorter, is kept for it;
    where what comes before leaves less, the end of the last text before the answer goes too. A talk whose last
    question has not that many words ends earlier, after any answer that is learned.

    Args:
        encoded: longer than `limit` tokens.
        limit: tokens.
        prefix: leading tokens that stay, the images among them.
        mark_ids: the special tokens of the template, which are no words.
    """
    answer = _last_run_start(encoded.learned)
    if answer is None or answer < prefix or limit <= prefix:
        return None
    end = answer + max(limit - answer, min(len(encoded.ids) - answer, (limit - prefix) // 2))
    words = _words_before(encoded.ids[prefix:answer], set(mark_ids))
    gap = slice(prefix + words.stop - (end - limit), prefix + words.stop)
    # The words of an answer before are learned from, so they are not cut out of the middle.
    if gap.start >= prefix + words.start and not any(encoded.learned[gap]):
        return Encoded(
            encoded.ids[: gap.start] + encoded.ids[gap.stop : end],
            encoded.learned[: gap.start] + encoded.learned[gap.stop : end],
        )
    return Encoded(encoded.ids[:limit], encoded.learned[:limit]) if any(encoded.learned[:limit]) else None


def _last_run_start(learned: list[bool]) -> int | None:
    """Where the last run of learned tokens begins."""
    place = len(learned)
    while place and not learned[place - 1]:
        place -= 1
    if not place:
        return None
    while place and learned[place - 1]:
        place -= 1
    return place


def _words_before(ids: list[int], mark_ids: set[int]) -> range:
    """The last words before a turn's header, which is marks and the name of who speaks."""
    stop = len(ids)
    while stop and ids[stop - 1] not in mark_ids:
        stop -= 1
    while stop and ids[stop - 1] in mark_ids:
        stop -= 1
    start = stop
    while start and ids[start - 1] not in mark_ids:
        start -= 1
    return range(start, stop)
