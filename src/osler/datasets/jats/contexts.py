"""What an article says about each of its figures, for builders of questions and reasoning."""

from dataclasses import dataclass

from osler.datasets.jats.types import Article, Figure, Section


@dataclass(frozen=True, slots=True)
class FigureContext:
    """A figure with its article and the sections that mention it, in the order of the text, each once."""

    article: Article
    figure: Figure
    sections: tuple[Section, ...]


def figure_contexts(article: Article, *, ranges: bool = True) -> tuple[FigureContext, ...]:
    """The figures of `article` in order; `ranges` counts those that a range like "Figures 1-3" only spans."""
    return tuple(_context(article, figure, ranges) for figure in article.figures)


def _context(article: Article, figure: Figure, ranges: bool) -> FigureContext:
    kept = (mention for mention in figure.mentions if ranges or not mention.in_range)
    numbers = sorted({mention.section_number for mention in kept} - {-1})
    return FigureContext(article, figure, tuple(article.sections[number] for number in numbers))
