"""Draw a small phantom set, DICOM files included, to try things on."""

import argparse

from osler.cli.arguments import Command, add_run_arguments

RECIPE = {"generator": "phantom", "num_patients": 20, "image_px": 224, "write": ["shards", "dicom"]}


def _run(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import run_recipe

    return run_recipe("osler.synth.run", dict(RECIPE), arguments)


COMMAND = Command(add_run_arguments, _run)
