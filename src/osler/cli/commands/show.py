"""Show one thing by its name or path: a catalogue entry, a recipe, an output folder or a model."""

import argparse
import ast
from pathlib import Path
from typing import Any

from osler.cli.arguments import Command
from osler.core.catalog import ADAPTERS, CATALOGS, FAMILIES, Catalog
from osler.core.errors import InputError, did_you_mean


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="an entry's name, a recipe's path, an output folder or a model folder")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="of a dataset: root=FOLDER with its files, split=SPLIT"
    )


def _run(arguments: argparse.Namespace) -> int:
    name: str = arguments.name
    found = [(noun, catalog) for noun, catalog in CATALOGS.items() if name in catalog.names()]
    overrides = _overrides(arguments.overrides)
    if overrides and not any(catalog is ADAPTERS for _, catalog in found):
        raise InputError(f"{name!r} is no dataset", expected="no key=value, which is for datasets")
    for noun, catalog in found:
        _print_entry(noun, catalog, name, overrides)
    path = Path(name)
    if found:
        if path.exists():
            print(f"\n{name} is a path here, too: osler show ./{name}")
        return 0
    if path.is_dir():
        return _print_folder(path)
    if path.is_file():
        return _print_recipe(path)
    known = sorted({entry for catalog in CATALOGS.values() for entry in catalog.names()})
    raise InputError(
        f"nothing is called {name!r}", expected="an entry of `osler list` or a path", fix=did_you_mean(name, known)
    )


def _overrides(arguments: list[str]) -> dict[str, str]:
    for argument in arguments:
        if "=" not in argument:
            raise InputError(f"cannot read {argument!r}", expected="key=value")
    return dict(argument.split("=", 1) for argument in arguments)


def _print_entry(noun: str, catalog: Catalog, name: str, overrides: dict[str, str]) -> None:
    """An entry's docstring and place, read without importing it; a dataset's declaration too, which is light."""
    file = catalog.folder() / f"{name}.py"
    if not file.is_file():
        file = catalog.folder() / name / "__init__.py"
    print(f"{name}  ({noun}; {catalog.package}.{name})\n")
    print(ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "(no docstring)")
    if catalog is ADAPTERS:
        from osler.cli.dataset_page import show_lines

        print()
        print("\n".join(show_lines(name, overrides)))
    if catalog is FAMILIES:
        _print_family(catalog.load(name))


def _print_recipe(path: Path) -> int:
    from osler.core.config import load_recipe

    recipe = load_recipe(path)
    print(f"{path}  (recipe)\n")
    for key, value in recipe.items():
        print(f"{key:<16}  {value}")
    return 0


def _print_folder(path: Path) -> int:
    if (path / "manifest.json").is_file():
        return _print_output(path)
    if (path / "config.json").is_file():
        return _print_model(path)
    if (path / "started.json").is_file():
        print(f"{path}  (output folder, not finished: run the command that makes it again)")
        return 0
    raise InputError(f"{path} is neither an output folder nor a model", expected="manifest.json or config.json inside")


def _print_output(path: Path) -> int:
    from osler.core.files import read_json
    from osler.schema.manifest import Manifest

    manifest = Manifest.model_validate(read_json(path / "manifest.json"))
    print(f"{path}  (output folder, finished {manifest.ended})\n")
    rows = {"command": " ".join(manifest.command), "git commit": manifest.git_commit or "not known"}
    rows |= {f"seed {k}": str(v) for k, v in manifest.seeds.items()}
    rows |= {f"num {k}": str(v) for k, v in manifest.counts.items()}
    rows |= {"inputs": ", ".join(manifest.inputs) or "none", "output files": str(len(manifest.outputs))}
    for key, value in rows.items():
        print(f"{key:<20}  {value}")
    return 0


def _print_family(family: Any) -> None:
    """The full-size model's parameters by part, from shapes alone."""
    model = family.skeleton()
    config = model.config
    tokens = f"{config.tile_px} px, {config.image_seq_length} tokens, up to {config.max_tiles} a picture"
    print(f"\n{'vision':<12}  {config.vision_config.model_type}\n{'language':<12}  {config.text_config.model_type}")
    print(f"{'tile':<12}  {tokens}\n")
    shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    _print_sizes(shapes, config.text_config.to_dict())


def _print_sizes(shapes: dict[str, tuple[int, ...]], text_config: dict[str, Any]) -> None:
    from osler.model.sizes import part_sizes

    experts, chosen = text_config.get("num_local_experts"), text_config.get("num_experts_per_tok")
    sizes = part_sizes(shapes, experts=experts, experts_per_token=chosen)
    rows = [(size.part, size.total, size.active) for size in sizes]
    rows.append(("all", sum(size.total for size in sizes), sum(size.active for size in sizes)))
    print(f"{'part':<12}{'parameters':>18}{'active per token':>20}")
    for part, total, active in rows:
        print(f"{part:<12}{total:>18,}{active:>20,}")
    routed = f"{chosen} of {experts} experts; " if experts else ""
    print(f"Active: {routed}the embedding table is looked up, vision and projector work on image tokens only.")


def _print_model(path: Path) -> int:
    from osler.core.files import read_json
    from osler.model.headers import read_headers

    config = read_json(path / "config.json")
    print(f"{path}  (model)\n")
    weights = sorted(path.glob("*.safetensors"))
    print(f"{'type':<16}  {config.get('model_type', 'not said')}")
    for part in ("vision_config", "text_config"):
        inner = config.get(part, {})
        shape = [f"{key} {inner[key]}" for key in ("model_type", "num_hidden_layers", "hidden_size") if key in inner]
        print(f"{part.removesuffix('_config'):<16}  {', '.join(shape) or 'not said'}")
    size_mib = sum(file.stat().st_size for file in weights) / 2**20
    print(f"{'weights':<16}  {', '.join(file.name for file in weights) or 'none'} ({size_mib:.1f} MiB)")
    if config.get("model_type") == "osler" and weights:
        print()
        _print_sizes({name: header.shape for name, header in read_headers(path).items()}, config["text_config"])
    return 0


COMMAND = Command(_add_arguments, _run)
