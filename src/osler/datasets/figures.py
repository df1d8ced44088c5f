"""Figures of articles and frames of videos: what the sets of pictures with captions share."""

import re

from osler.datasets.dataset import Skip
from osler.datasets.wording import DESCRIBE
from osler.schema.sample import Provenance, Sample, image, passage, user

_ARTICLE = re.compile(r"PMC\d+")
_VIDEO = re.compile(r"(.{11})_(?:image|roi)_")


def captioned(
    path: str | None,
    caption: str | None,
    *,
    group: str = "",
    modality: str = "",
    tags: tuple[str, ...] = (),
    provenance: Provenance | None = None,
) -> Sample | Skip:
    """A picture whose caption is the answer; without one of the two, why there is no sample."""
    words = (caption or "").strip()
    if not path or not words:
        return Skip("empty caption" if path else "no image")
    return Sample(
        turns=(user(image(path), DESCRIBE),),
        answer=passage(words),
        task="caption",
        group=group,
        modality=modality,
        tags=tags,
        provenance=provenance,
    )


def article_of(name: str) -> str:
    """The PubMed Central id at the start of a name: `PMC212319_Fig3_4.jpg` is of PMC212319; "" where there is none."""
    found = _ARTICLE.match(name)
    return found[0] if found else ""


def article_group(name: str) -> str:
    """The group of all pictures of one article, whatever set they come from; "" where the article is not known."""
    article = article_of(name)
    return f"pmc:{article}" if article else ""


def article_url(name: str) -> str:
    """Where the article is read; "" where it is not known."""
    article = article_of(name)
    return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{article}/" if article else ""


def video_group(name: str) -> str:
    """The group of all frames of one video (of its 11-letter id); of an article's figure, the article's; else ""."""
    found = _VIDEO.match(name)
    return f"video:{found[1]}" if found else article_group(name)
