"""Set the modality of samples that have none by the words of their caption, section title and subject headings.

The terms stand in `curate/vocabularies/modality.yaml`; `vocabulary` may name a YAML file of your own. The caption
decides; where it names no modality, the tags `section:...` and then `mesh:...` do. Where it names several, none is
set. A sample so changed gets the tag `modality:by_caption`. Words such as "radiology", which a set gives to all its
samples, count as no modality (`unset`).
"""

from functools import partial

from pydantic import field_validator

from osler.core.config import Config
from osler.curate.operator import Operator
from osler.curate.vocabulary import load_vocabulary, tag_samples


class TagModalityConfig(Config):
    """vocabulary: `modality` or the path of a YAML file. unset: values that are replaced as if there were none."""

    vocabulary: str = "modality"
    unset: tuple[str, ...] = ("radiology", "mixed", "image")

    @field_validator("vocabulary")
    @classmethod
    def _is_readable(cls, vocabulary: str) -> str:
        load_vocabulary(vocabulary)
        return vocabulary


OPERATOR = Operator(
    config=TagModalityConfig,
    build=lambda config: partial(tag_samples, field="modality", vocabulary=config.vocabulary, unset=config.unset),
    level="rewrite",
)
