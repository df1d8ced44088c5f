"""Quality: what a picture's pixels say about its worth: sharpness, detail, compression, colour, flatness, margins.

Each measure is a pure function on uint8 pixels, gray [height, width] unless it says otherwise. None of them knows what
a picture shows, so a limit belongs to the one who calls, and is set from pictures of that kind.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from osler.media.image import image_facts, load_picture, open_picture
from osler.media.window import apply_window, spanning

SHARPNESS_SIDE_PX = 512
_JPEG = b"\xff\xd8\xff"
_SPECTRUM_LINES = 96
_ENERGY_SHARE = 0.95
_NOISE_MARGIN = 2.0
_BLOCK_PX = 8
_BLOCK_VIEW_PX = 1024
_HISTOGRAM_SIDE_PX = 1024
# The sums of the luminance table of ITU-T T.81, Annex K.1, and of its six smallest entries.
_T81_SUM, _T81_SMALLEST_SUM = 3688, 72
_LARGEST_ENTRY = 255


@dataclass(frozen=True)
class Margin:
    """Even rows and columns at the edges of a picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def share(self, width: int, height: int) -> float:
        """The part of the picture's area that is margin."""
        inside = max(width - self.left - self.right, 0) * max(height - self.top - self.bottom, 0)
        return 1.0 - inside / (width * height)


def gray_pixels(data: bytes) -> np.ndarray:
    """The luma of an image file, uint8 [height, width].

    Gray of more than 8 bits is shown from its 0.5th to its 99.5th percentile: good enough to measure on, whatever
    window a reader would choose.

    Raises:
        InputError: the file cannot be read to its last pixel (`media.image.open_picture`).
    """
    facts = image_facts(data)
    if facts.bits > 8:
        return _deep_gray(data)
    return np.asarray(open_picture(data).convert("L"))


def rgb_pixels(data: bytes) -> np.ndarray:
    """The colours of an image file, uint8 [height, width, 3]; gray of more than 8 bits as in `gray_pixels`."""
    if image_facts(data).bits > 8:
        return np.repeat(_deep_gray(data)[:, :, None], 3, axis=2)
    return np.asarray(open_picture(data).convert("RGB"))


def sharpness(gray: np.ndarray) -> float:
    """How crisp a picture is at the size at which models look at it.

    The variance of the Laplacian (Pech-Pacheco et al. 2000, ICPR, "Diatom autofocusing in brightfield microscopy")
    divided by the variance of the gray values, times 1000: without the division a low contrast counts as blur.
    Pictures longer than 512 px are averaged down first, or else the same blur would count more in a larger file.

    Returns:
        0 for an even picture; above 0 else, without an upper end (white noise gives 20000).
    """
    small = shrunk(gray, SHARPNESS_SIDE_PX).astype(np.float32)
    if min(small.shape) < 3:
        return 0.0
    spread = float(small.var())
    if spread < 1e-6:
        return 0.0
    inner = small[1:-1, 1:-1]
    laplacian = small[:-2, 1:-1] + small[2:, 1:-1] + small[1:-1, :-2] + small[1:-1, 2:] - 4.0 * inner
    return 1000.0 * float(laplacian.var()) / spread


def detail(gray: np.ndarray) -> float:
    """The share of its own resolution that a picture uses, 0 to 1; a picture enlarged four times has about 0.25.

    Pictures have a power spectrum near 1/f^2 (Field 1987, J. Opt. Soc. Am. A 4:2379), so the spectrum of their
    differences is about even up to the highest frequency that was recorded. The measure is the frequency, in units of
    the highest one that the pixels can hold, below which 95 % of the differences' energy lies, in 96 rows and 96
    columns spread over the picture; the larger of the two directions.
    """
    return max(_band(_spread_lines(gray)), _band(_spread_lines(gray.T)))


def blockiness(gray: np.ndarray) -> float:
    """How far the edges of 8 x 8 blocks stand out, as JPEG leaves them; 1 where they do not.

    The mean step across block edges divided by the mean step elsewhere (after Wang, Bovik and Evans 2000, ICIP,
    "Blind measurement of blocking artifacts in images"), taken at the most blocky of the eight offsets, because a
    picture may have been cropped since; the smaller of rows and columns, because drawn grids have one of the two. Of a
    large picture the middle 1024 x 1024 pixels are looked at.
    """
    if min(gray.shape) < 3 * _BLOCK_PX:
        return 1.0
    pixels = _middle(gray, _BLOCK_VIEW_PX).astype(np.int16)
    across, down = np.abs(np.diff(pixels, axis=1)), np.abs(np.diff(pixels, axis=0))
    return min(_edge_ratio(across.mean(axis=0)), _edge_ratio(down.mean(axis=1)))


def jpeg_quality(data: bytes) -> float | None:
    """The quality setting, 1 to 100, with which a JPEG was last written; None for other files.

    The sum of the luminance quantisation table against that of ITU-T T.81, Annex K.1, turned back by the scaling of
    the Independent JPEG Group's encoder: quality q scales by 50/q below 50 and by 2 - q/50 from there. Where entries
    were cut at 255, which is so below 24, the six smallest are compared. Other encoders' tables get the quality of
    the IJG's of equal sum. A PNG made from a JPEG does not show here.

    Raises:
        InputError: the file says that it is a JPEG and has no readable header.
    """
    if not data.startswith(_JPEG):
        return None
    image_facts(data)
    picture = Image.open(io.BytesIO(data), formats=["JPEG"])
    table = getattr(picture, "quantization", {}).get(0)
    if not table:
        return None
    is_cut = max(table) >= _LARGEST_ENTRY
    scale = sum(sorted(table)[:6]) / _T81_SMALLEST_SUM if is_cut else sum(table) / _T81_SUM
    return min(max(50.0 * (2.0 - scale) if scale <= 1.0 else 50.0 / scale, 1.0), 100.0)


def colourfulness(rgb: np.ndarray) -> float:
    """How colourful a picture [height, width, 3] is: 0 for gray, about 15 for slight, above 80 for vivid colour.

    M3 of Hasler and Suesstrunk 2003 (SPIE 5007, "Measuring colourfulness in natural images"): with rg = R - G and
    yb = (R + G)/2 - B, the length of their standard deviations plus 0.3 times the length of their means.
    """
    small = rgb[:: max(rgb.shape[0] // 256, 1), :: max(rgb.shape[1] // 256, 1)].astype(np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    rg, yb = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def entropy(gray: np.ndarray) -> float:
    """The Shannon entropy of the gray values in bits, 0 (one value) to 8 (all values equally often)."""
    counts = _histogram(gray)
    shares = counts / counts.sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def commonest_share(gray: np.ndarray) -> float:
    """The part of the pixels that have the commonest gray value or one next to it."""
    counts = _histogram(gray)
    padded = np.pad(counts, 1)
    return float((padded[:-2] + padded[1:-1] + padded[2:]).max() / counts.sum())


def margin(gray: np.ndarray, *, white: bool, tolerance: int = 12, even_share: float = 0.99) -> Margin:
    """The white or black rows and columns around what a picture shows.

    Args:
        gray: the picture.
        white: look for white (255) in place of black (0).
        tolerance: how far a value may lie from it; JPEG leaves some noise.
        even_share: the part of a row or column that must be so.
    """
    is_margin = gray >= 255 - tolerance if white else gray <= tolerance
    rows, columns = is_margin.mean(axis=1) >= even_share, is_margin.mean(axis=0) >= even_share
    (top, bottom), (left, right) = _run_ends(rows), _run_ends(columns)
    return Margin(left, top, right, bottom)


def shrunk(gray: np.ndarray, side_px: int) -> np.ndarray:
    """`gray` with a longer side of at most `side_px`, each pixel the mean of those it covers."""
    height, width = gray.shape
    if max(height, width) <= side_px:
        return gray
    scale = side_px / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX))


def _deep_gray(data: bytes) -> np.ndarray:
    values = np.asarray(load_picture(data))
    low, high = (float(v) for v in np.percentile(values[::4, ::4], (0.5, 99.5)))
    return apply_window(values, spanning(low, high, least_width=1.0))


def _spread_lines(gray: np.ndarray) -> np.ndarray:
    step = max(gray.shape[0] // _SPECTRUM_LINES, 1)
    return gray[step // 2 :: step].astype(np.float32)


def _band(lines: np.ndarray) -> float:
    if lines.shape[1] < 16:
        return 1.0
    window = np.hanning(lines.shape[1] - 1).astype(np.float32)
    steps = np.diff(lines, axis=1) * window
    power = (np.abs(np.fft.rfft(steps, axis=1)) ** 2).sum(axis=0)
    # Rounding to whole gray values is noise of variance 1/12 a pixel; left in, it would be a smooth picture's detail.
    frequency = np.linspace(0.0, np.pi, len(power))
    rounding = (1.0 - np.cos(frequency)) / 6.0 * float((window**2).sum()) * len(steps)
    power = np.maximum(power - _NOISE_MARGIN * rounding, 0.0)
    total = float(power.sum())
    if total <= 0:
        return 0.0
    reached = int(np.searchsorted(np.cumsum(power), _ENERGY_SHARE * total))
    return min(reached / (len(power) - 1), 1.0)


def _middle(gray: np.ndarray, side_px: int) -> np.ndarray:
    top, left = (max(length - side_px, 0) // 2 for length in gray.shape)
    return gray[top : top + side_px, left : left + side_px]


def _edge_ratio(steps: np.ndarray) -> float:
    """The mean step at the blockiest of the eight offsets over the mean of the other steps."""
    whole = steps[: len(steps) // _BLOCK_PX * _BLOCK_PX].reshape(-1, _BLOCK_PX)
    # The median over the blocks: one hard edge of the picture itself is no grid.
    means = np.median(whole, axis=0)
    best = int(means.argmax())
    others = float(np.delete(means, best).mean())
    return float((means[best] + 0.1) / (others + 0.1))


def _histogram(gray: np.ndarray) -> np.ndarray:
    step = max(max(gray.shape) // _HISTOGRAM_SIDE_PX, 1)
    return np.bincount(gray[::step, ::step].ravel(), minlength=256)


def _run_ends(flags: np.ndarray) -> tuple[int, int]:
    """How many flags are set at the start and at the end; if all are, all at the start."""
    if flags.all():
        return len(flags), 0
    return int(flags.argmin()), int(flags[::-1].argmin())
