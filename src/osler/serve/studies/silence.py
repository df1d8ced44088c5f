"""Silence: libraries of DICOM log and warn with the values that they met, names of patients among them."""

import logging
import warnings
from typing import Final

from osler.media.dicom import load_pydicom

_LOUD: Final = ("pydicom", "pynetdicom", "highdicom", "dicomweb_client", "httpx2", "httpcore2", "httpx", "httpcore")


def silence() -> None:
    """Shut what they say, for the rest of this process; a server calls it before its first study."""
    for name in [*_LOUD, *(n for n in logging.root.manager.loggerDict if n.partition(".")[0] in _LOUD)]:
        logging.getLogger(name).disabled = True
    settings = load_pydicom().config.settings
    settings.reading_validation_mode = settings.writing_validation_mode = load_pydicom().config.IGNORE
    warnings.filterwarnings("ignore", module=r"(pydicom|pynetdicom|highdicom)(\.|$)")
