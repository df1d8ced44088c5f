"""Recipes: load a YAML file, apply overrides, refuse unknown keys, write it back."""

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_file, write_text

Recipe = dict[str, Any]


class Config(BaseModel):
    """A part of a recipe: frozen, and it refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, data: Any, where: str = "recipe") -> Self:
        """`data` checked against this class. Raises InputError with the key, what was expected and what came."""
        if not isinstance(data, dict):
            raise InputError(f"{where} must be a mapping", got=type(data).__name__)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError("\n".join(_explain(cls, item, where) for item in error.errors())) from error


def first_problem(error: ValidationError, *, whole: str = "") -> str:
    """What is wrong first with a record, as "field: what"; `whole` stands for the field where it is all of it."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"


def load_recipe(path: Path, overrides: list[str] | None = None) -> Recipe:
    """The recipe at `path` with `key.sub=value` overrides applied; values are read as YAML."""
    try:
        recipe = yaml.load(existing_file(path).read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(recipe, dict):
        raise InputError(f"{path} is no recipe", expected="a mapping of keys", got=type(recipe).__name__)
    for override in overrides or []:
        apply_override(recipe, override)
    return recipe


def save_recipe(path: Path, recipe: Recipe) -> None:
    """Write the resolved recipe, keys in their own order."""
    write_text(path, yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True))


def apply_override(recipe: Recipe, override: str) -> None:
    """Set one `key.sub=value` in `recipe`; the value is read as YAML."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise InputError(f"cannot read override {override!r}", expected="key=value or key.sub=value")
    *path, last = key.split(".")
    node: Any = recipe
    for name in path:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            raise InputError(f"override {override!r} goes through {name!r}, which is not a mapping")
    node[last] = yaml.safe_load(text)


def _explain(cls: type[BaseModel], item: Any, where: str) -> str:
    path = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _fields_at(cls, item["loc"][:-1])
        hint = did_you_mean(str(item["loc"][-1]), known)
        return f"{where}: unknown key {path!r}; known keys: {', '.join(known)}. {hint}".rstrip()
    if item["type"] == "missing":
        return f"{where}: key {path!r} is missing. Add it."
    return f"{where}: {path or 'value'}: {item['msg']}; got {item['input']!r}"


def _fields_at(cls: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """The field names of the model found at `loc` inside `cls`, as far as annotations tell."""
    for part in loc:
        if isinstance(part, int) or part not in cls.model_fields:
            continue
        inner = _model_in(cls.model_fields[part].annotation)
        if inner is not None:
            cls = inner
    return list(cls.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


class _UniqueKeyLoader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML ships no types
    """SafeLoader that refuses a key given twice; plain YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
