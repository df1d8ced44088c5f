"""Set the body part of samples that have none by the words of their caption, section title and subject headings.

The terms stand in `curate/vocabularies/body_part.yaml`; `vocabulary` may name a YAML file of your own. The rule is
that of `tag_modality`: the caption decides, several parts set none, and a sample so changed gets the tag
`body_part:by_caption`.
"""

from functools import partial

from pydantic import field_validator

from osler.core.config import Config
from osler.curate.operator import Operator
from osler.curate.vocabulary import load_vocabulary, tag_samples


class TagBodyPartConfig(Config):
    """vocabulary: `body_part` or the path of a YAML file. unset: values that are replaced as if there were none."""

    vocabulary: str = "body_part"
    unset: tuple[str, ...] = ()

    @field_validator("vocabulary")
    @classmethod
    def _is_readable(cls, vocabulary: str) -> str:
        load_vocabulary(vocabulary)
        return vocabulary


OPERATOR = Operator(
    config=TagBodyPartConfig,
    build=lambda config: partial(tag_samples, field="body_part", vocabulary=config.vocabulary, unset=config.unset),
    level="rewrite",
)
