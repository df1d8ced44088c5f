from typing import Any

import pytest
from pydantic import BaseModel

from osler.core.errors import InputError
from osler.transfer.protocol import Protocol, features_identity, protocol_sha256


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, tuple):
        return (*value[:-1], changed(value[-1]))
    if value is None:
        return 7
    return {**value, "my_lab.probe": {"k": 1}}


def leaves(config: BaseModel, path: tuple[str, ...] = ()):
    """Every field, however deep, with the config in which it stands."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def replaced(config: Any, path: tuple[str, ...], value: Any) -> Any:
    inner = value if len(path) == 1 else replaced(getattr(config, path[0]), path[1:], value)
    return config.model_copy(update={path[0]: inner})


def test_changing_any_value_changes_the_hash():
    protocol = Protocol()
    found = list(leaves(protocol))
    assert len(found) > 45  # walks into every section
    hashes = [protocol_sha256(replaced(protocol, path, changed(value))) for path, value in found]
    assert protocol_sha256(protocol) not in hashes and len(set(hashes)) == len(found)


def test_the_same_values_give_the_same_hash_however_they_are_written():
    assert protocol_sha256(Protocol.parse({"knn": {"k": 10}})) == protocol_sha256(Protocol())


def test_sections_of_other_measurements_join_the_hash():
    protocol = Protocol()
    assert protocol_sha256(protocol, protocol.knn) != protocol_sha256(protocol)


def test_fewer_than_five_seeds_and_equal_seeds_are_refused():
    with pytest.raises(InputError, match="seeds"):
        Protocol.parse({"seeds": [0, 1, 2, 3]})
    with pytest.raises(InputError, match="seeds must differ"):
        Protocol.parse({"seeds": [0, 1, 2, 3, 3]})


def test_features_depend_on_weights_resizing_and_number_format_only():
    pixels = {"image_px": 96, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    protocol = Protocol()
    first = features_identity(protocol, "a" * 64, **pixels)
    assert first == features_identity(Protocol.parse({"knn": {"k": 3}}), "a" * 64, **pixels)
    others = [
        features_identity(protocol, "b" * 64, **pixels),
        features_identity(protocol, "a" * 64, **{**pixels, "image_px": 128}),
        features_identity(protocol, "a" * 64, **{**pixels, "mean": (0.4,) * 3}),
        features_identity(Protocol.parse({"dtype": "bfloat16"}), "a" * 64, **pixels),
        features_identity(Protocol.parse({"resize": {"rule": "crop"}}), "a" * 64, **pixels),
    ]
    assert len({first, *others}) == 6
