"""A published tokenizer with Osler's special tokens in it, without one more row in the embedding table.

Every family spells the roles alike (`<|image|>`, `<|return|>`, ...), so that words of the data can be kept from
forging them; only the ids differ. A role takes, in this order: the token already called so, the published token that
plays the role (`</s>` for `<|return|>`), a reserved slot, a row behind the last token that the model has anyway.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.model.tokenizer import SPECIAL_TOKENS, dress

_RESERVED = re.compile(r"<\|reserved_(?:special_token_)?\d+\|>|<unused\d+>|<reserved_\d+>|\[unused\d+\]")
# Byte tokens that no UTF-8 text can contain (RFC 3629, section 1): free slots of every vocabulary with byte fallback.
_NO_UTF8_BYTE = re.compile(r"<0x(?:C0|C1|F[5-9A-F])>")


def tokenizer_from(
    folder: Path, *, published: Mapping[str, tuple[str, ...]], vocab_size: int, template: str
) -> PreTrainedTokenizerFast:
    """The tokenizer of a language model's folder, dressed for Osler.

    Args:
        folder: holds tokenizer.json.
        published: our token to the names of published tokens that play its role, the first that exists is taken.
        vocab_size: rows of the model's embedding table.
        template: the family's chat template.

    Raises:
        InputError: there is no tokenizer.json, it has more tokens than the model has rows, or no room is left.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise InputError(
            f"{folder} has no tokenizer.json", fix="Convert its tokenizer with transformers' AutoTokenizer and save it."
        )
    content = read_json(path)
    ids = _ids(content)
    if max(ids.values()) >= vocab_size:
        raise InputError(
            f"the vocabulary of the model in {folder} is smaller than its tokenizer",
            expected=f"at least {max(ids.values()) + 1} rows",
            got=str(vocab_size),
            fix="Use the tokenizer that came with these weights.",
        )
    free = _free_slots(ids, {name for names in published.values() for name in names}, vocab_size)
    for role in SPECIAL_TOKENS:
        if role not in ids:
            _seat(content, role, _slot(role, published.get(role, ()), ids, free, folder=folder))
        _mark_special(content, role, _ids(content)[role])
    content["post_processor"] = None  # the chat template writes the first token itself
    return dress(PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(content))), template=template)


def _ids(content: dict[str, Any]) -> dict[str, int]:
    vocab = content["model"]["vocab"]
    if not isinstance(vocab, dict):
        raise InputError("only tokenizers with a byte-level or byte-fallback BPE are supported")
    return {**vocab, **{token["content"]: token["id"] for token in content.get("added_tokens") or []}}


def _free_slots(ids: dict[str, int], taken: set[str], vocab_size: int) -> Iterator[tuple[str, int]]:
    for pattern in (_RESERVED, _NO_UTF8_BYTE):
        names = [name for name in ids if pattern.fullmatch(name) and name not in taken]
        yield from ((name, ids[name]) for name in sorted(names, key=ids.__getitem__))
    yield from (("", number) for number in range(max(ids.values()) + 1, vocab_size))


def _slot(
    role: str, names: tuple[str, ...], ids: dict[str, int], free: Iterator[tuple[str, int]], *, folder: Path
) -> tuple[str, int]:
    for name in names:
        if name in ids:
            return name, ids[name]
    slot = next(free, None)
    if slot is None:
        raise InputError(f"the vocabulary of the model in {folder} has no room for {role!r}")
    return slot


def _seat(content: dict[str, Any], role: str, slot: tuple[str, int]) -> None:
    """Give the token of `slot` the name `role`, wherever the file names it."""
    name, number = slot
    model, added = content["model"], content.setdefault("added_tokens", [])
    if name and name in model["vocab"]:
        model["vocab"][role] = model["vocab"].pop(name)
    if name and model.get("unk_token") == name:
        model["unk_token"] = role
    entries = [token for token in added if token["id"] == number]
    for token in entries:
        token["content"] = role
    if not entries:
        added.append({"id": number, "content": role})


def _mark_special(content: dict[str, Any], role: str, number: int) -> None:
    """Special tokens are found in raw text before any normalisation."""
    added = content["added_tokens"]
    entry = next((token for token in added if token["content"] == role), None)
    if entry is None:
        entry = {"id": number, "content": role}
        added.append(entry)
    entry |= {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added.sort(key=lambda token: int(token["id"]))
