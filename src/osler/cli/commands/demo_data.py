"""Draw a small phantom set, DICOM files included, to try things on."""

import argparse

from osler.cli.arguments import Command, add_run_arguments

NUM_PATIENTS = 12


def _run(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import run_recipe

    return run_recipe("osler.synth.run", {"phantom": {"num_patients": NUM_PATIENTS, "dicom": True}}, arguments)


COMMAND = Command(add_run_arguments, _run)
