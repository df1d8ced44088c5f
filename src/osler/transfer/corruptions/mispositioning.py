"""Mispositioning: the patient or the detector is turned and off the centre."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import signed

_SHIFT_A_DEGREE = 0.004


def mispositioning(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Turn by `strength` degrees to either side and shift by 0.4 % of each side a degree; the ground fills the rest."""
    import cv2

    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), strength * signed(rng), 1.0)
    away = rng.uniform(0, 2 * np.pi)
    shift = strength * _SHIFT_A_DEGREE * np.array([width * np.cos(away), height * np.sin(away)])
    matrix = np.asarray(turn) + np.array([[0, 0, shift[0]], [0, 0, shift[1]]])
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = [float(value) for value in np.median(edge, axis=0)]
    turned = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=ground
    )
    return np.asarray(turned).reshape(pixels.shape)


CORRUPTION = Corruption(
    apply=mispositioning,
    strengths=(3.0, 7.0, 12.0, 18.0, 26.0),
    unit="degrees",
    kind="medical",
    modalities=("x-ray", "ct", "mri", "ultrasound", "oct", "fundus"),
)
