"""Refused: what is not taken of a request, in fixed words that quote nothing of it."""

_FIXES = {
    "no decoder": "pip install 'osler[dicom-jpeg]' for JPEG Lossless; 'osler[dicom-gpl]' (GPL) for 12-bit JPEG.",
    "no DICOM file": "Send files with the mark 'DICM' after 128 bytes (PS3.10).",
    "unknown transfer syntax": "Send the file with its file meta information, in a transfer syntax of DICOM.",
    "pixels of another depth": "Images of 8 or 16 bits a sample are shown.",
    "no picture": "Send image objects; reports, plans and directories hold no pixels.",
    "too large when inflated": "Send it without deflation.",
    "too many pixels": "Raise `studies.max_frame_megapixels`, or send fewer frames.",
    "damaged": "Send the file again from its source.",
}


class Refused(Exception):
    """Not taken.

    Args:
        reason: in fixed words; those before a colon name the kind.
        expected: what would have been taken.
        status: of the HTTP answer, where the whole request is refused.
    """

    def __init__(self, reason: str, expected: str = "", *, status: int = 422) -> None:
        super().__init__(reason)
        self.reason, self.expected, self.status = reason, expected, status

    @property
    def fix(self) -> str:
        """What to do about it, where that is known."""
        return _FIXES.get(self.reason.partition(":")[0], "")

    def told(self) -> dict[str, str]:
        """For the answer."""
        return {k: v for k, v in {"reason": self.reason, "expected": self.expected, "fix": self.fix}.items() if v}
