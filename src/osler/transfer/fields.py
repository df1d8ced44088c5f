"""Fields over a picture, from which corruptions are made: coordinates, smooth noise, blurs, Fourier lines.

Pixels are float32 [H, W, C]; a field is float32 [H, W]. Lengths are shares of the shorter side, so that a severity
looks alike at any size.
"""

import math

import numpy as np


def side(pixels: np.ndarray) -> int:
    """The shorter side in pixels."""
    return int(min(pixels.shape[:2]))


def centred(pixels: np.ndarray, *, x: float = 0.5, y: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from the point at shares x and y of width and height, in shorter sides: dx [1, W], dy [H, 1]."""
    height, width = pixels.shape[:2]
    across = (np.arange(width, dtype=np.float32) + 0.5 - x * width) / side(pixels)
    down = (np.arange(height, dtype=np.float32) + 0.5 - y * height) / side(pixels)
    return across[None, :], down[:, None]


def smooth_noise(pixels: np.ndarray, rng: np.random.Generator, *, cells: int) -> np.ndarray:
    """Smooth random values from -1 to 1: a grid of `cells` a side, interpolated by cubic pieces."""
    import cv2

    height, width = pixels.shape[:2]
    grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    field = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(field, -1, 1)


def signed(rng: np.random.Generator) -> float:
    """1 or -1, equally likely."""
    return 1.0 if rng.random() < 0.5 else -1.0


def blur(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur with a deviation in pixels; the picture is mirrored at its border."""
    import cv2

    return _layers(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101))


def spread(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The picture with each point spread over `kernel`, which is scaled to sum 1."""
    import cv2

    weights = (kernel / kernel.sum()).astype(np.float32)
    return _layers(cv2.filter2D(pixels, -1, weights, borderType=cv2.BORDER_REFLECT_101))


def splat(points: np.ndarray) -> np.ndarray:
    """A kernel with a share for each of `points` [n, 2] (x, y in pixels from the middle), split among neighbours."""
    reach = math.ceil(float(np.abs(points).max())) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    low = np.floor(points).astype(int)
    part = points - low
    for step_x in (0, 1):
        for step_y in (0, 1):
            weight = np.abs(1 - step_x - part[:, 0]) * np.abs(1 - step_y - part[:, 1])
            np.add.at(kernel, (low[:, 1] + step_y + reach, low[:, 0] + step_x + reach), weight)
    return kernel


def moved(pixels: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """The picture read at each pixel's place plus (dx, dy) in pixels; mirrored at its border."""
    import cv2

    height, width = pixels.shape[:2]
    at_x = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :] + dx, (height, width)).astype(np.float32)
    at_y = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None] + dy, (height, width)).astype(np.float32)
    return _layers(cv2.remap(pixels, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def resized(pixels: np.ndarray, height: int, width: int, *, how: str) -> np.ndarray:
    """The picture at another size; `how` is `area` or `nearest`."""
    import cv2

    flag = cv2.INTER_AREA if how == "area" else cv2.INTER_NEAREST
    return _layers(cv2.resize(pixels, (width, height), interpolation=flag))


def lines_scaled(pixels: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The magnitude of the picture whose Fourier lines are multiplied.

    factors: [H], real or complex, one for each line of the phase-encoding direction (from top to bottom), in the order
        of `numpy.fft.fftfreq`.
    """
    spectrum = np.fft.fft(pixels, axis=0) * factors[:, None, None]
    return np.abs(np.fft.ifft(spectrum, axis=0)).astype(np.float32)


def _layers(pixels: np.ndarray) -> np.ndarray:
    """[H, W, C] again where opencv dropped a single channel."""
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
