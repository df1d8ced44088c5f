"""JPEG compression at a low quality, colour at half resolution."""

import numpy as np

from osler.transfer.corruption import Corruption


def jpeg(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Write as JPEG and read again."""
    import cv2

    del rng
    values = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", values[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(strength)])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED)).reshape(pixels.shape)
    return decoded[:, :, ::-1].astype(np.float32) / np.float32(255)


CORRUPTION = Corruption(
    apply=jpeg,
    strengths=(45.0, 28.0, 17.0, 10.0, 5.0),
    unit="quality, of 100",
    kind="common",
)
