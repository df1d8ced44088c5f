"""Vocabulary: which value a text speaks of, by terms that a YAML file declares: {value: [term, ...]}."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import yaml

from osler.core.errors import InputError
from osler.curate.drops import drops_table
from osler.curate.operator import Kept
from osler.schema.sample import Sample

_WORD_START = re.compile(r"(?<![^\W_])[^\W_]")


@dataclass(frozen=True)
class Vocabulary:
    """Terms by value.

    A term's word with a capital is matched as written, any other in any case; `*` stands for more letters, and a term
    begins and ends where a word does. Where terms overlap in a text, the longest that begins first counts.
    """

    values: tuple[str, ...]
    patterns: dict[str, re.Pattern[str]]
    """One for the terms that begin with each letter."""
    owners: dict[str, tuple[int, ...]]
    """For each letter, the number of the value to which each group of its pattern belongs."""

    def values_in(self, text: str) -> list[str]:
        """The values that a text speaks of, in the order in which they first come."""
        found_values: dict[str, None] = {}
        end = 0
        for word in _WORD_START.finditer(text):
            pattern = self.patterns.get(word[0].lower())
            if pattern is None or word.start() < end:
                continue
            if found := pattern.match(text, word.start()):
                owner = self.owners[word[0].lower()][(found.lastindex or 1) - 1]
                found_values[self.values[owner]] = None
                end = found.end()
        return list(found_values)


@lru_cache(maxsize=8)
def load_vocabulary(name: str) -> Vocabulary:
    """The vocabulary `name`: one of `curate/vocabularies/` or the path of a YAML file.

    Raises:
        InputError: no such file, not a mapping of values to terms, or a term that stands for two values.
    """
    own = files("osler.curate") / "vocabularies" / f"{name}.yaml"
    path = Path(name)
    if own.is_file():
        text = own.read_text(encoding="utf-8")
    elif path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        raise InputError(f"no vocabulary {name!r}", expected="modality, body_part or the path of a YAML file")
    try:
        return make_vocabulary(yaml.safe_load(text))
    except (yaml.YAMLError, InputError) as error:
        raise InputError(f"vocabulary {name}: {error}") from error


def make_vocabulary(terms_by_value: object) -> Vocabulary:
    """A vocabulary of {value: [term, ...]}. Raises InputError for another shape."""
    if not isinstance(terms_by_value, dict) or not terms_by_value:
        raise InputError("expected a mapping of values to lists of terms", got=type(terms_by_value).__name__)
    owner: dict[str, str] = {}
    for value, terms in terms_by_value.items():
        if not isinstance(terms, list) or not terms or not all(isinstance(t, str) and t.strip("* ") for t in terms):
            raise InputError(f"the terms of {value!r} must be a list of words", got=repr(terms)[:80])
        for term in (" ".join(term.split()) for term in terms):
            if owner.setdefault(term, str(value)) != str(value):
                raise InputError(f"term {term!r} stands for {owner[term]!r} and {value!r}", fix="Keep one.")
    values = tuple(dict.fromkeys(owner.values()))
    by_letter: dict[str, list[str]] = {}
    for term in sorted(owner, key=lambda term: (-len(term), term)):
        by_letter.setdefault(term[0].lower(), []).append(term)
    patterns = {
        letter: re.compile(rf"(?:{'|'.join(f'({_regex(term)})' for term in terms)})(?![^\W_])")
        for letter, terms in by_letter.items()
    }
    owners = {letter: tuple(values.index(owner[term]) for term in terms) for letter, terms in by_letter.items()}
    return Vocabulary(values, patterns, owners)


def value_of(vocabulary: Vocabulary, texts: Sequence[str]) -> str:
    """The one value that the first text to name any names; "" where it names several, or none names one.

    Args:
        vocabulary: the terms.
        texts: from the one that is nearest to the picture (its caption) to the farthest (subject headings).
    """
    for text in texts:
        values = vocabulary.values_in(text)
        if values:
            return values[0] if len(values) == 1 else ""
    return ""


def texts_of(sample: Sample) -> list[str]:
    """The words about a sample's picture: answer and question, section title, subject headings of the article.

    The latter two are tags that begin with `section:` and `mesh:`.
    """
    tagged = {
        prefix: "; ".join(tag[len(prefix) :] for tag in sample.tags if tag.startswith(prefix))
        for prefix in ("section:", "mesh:")
    }
    return [f"{sample.answer.text}\n{sample.question}", tagged["section:"], tagged["mesh:"]]


def tag_samples(table: pa.Table, *, field: str, vocabulary: str, unset: Sequence[str]) -> Kept:
    """Records (`operator.REWRITES`) whose samples have `field` set by their words where it was empty or one of `unset`.

    A sample so changed gets the tag `FIELD:by_caption`. Nothing is dropped.
    """
    terms = load_vocabulary(vocabulary)
    rewritten = [[_tagged(text, field, terms, unset) for text in texts] for texts in table["samples"].to_pylist()]
    column = table.schema.get_field_index("samples")
    changed = table.set_column(column, table.schema.field(column), pa.array(rewritten, table.schema.field(column).type))
    return Kept(changed, drops_table())


def _tagged(text: str, field: str, terms: Vocabulary, unset: Sequence[str]) -> str:
    sample = Sample.model_validate_json(text)
    if getattr(sample, field) not in ("", *unset):
        return text
    value = value_of(terms, texts_of(sample))
    if not value:
        return text
    changed = sample.model_copy(update={field: value, "tags": (*sample.tags, f"{field}:by_caption")})
    return changed.model_dump_json(exclude_defaults=True)


def _regex(term: str) -> str:
    return r"[\s-]+".join(map(_word_regex, term.split(" ")))


def _word_regex(word: str) -> str:
    regex = r"[^\W_]*".join(map(re.escape, word.split("*")))
    return regex if any(char.isupper() for char in word) else f"(?i:{regex})"
