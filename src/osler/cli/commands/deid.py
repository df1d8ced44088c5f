"""DICOM files and reports to pictures and texts without persons, under keyed pseudonyms."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.curate.deid")
