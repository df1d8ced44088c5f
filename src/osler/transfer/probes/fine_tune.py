"""Full fine-tuning: the encoder and a linear head trained on the set's images, by one recipe for every encoder."""

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.transfer.probe import Answers, Draw, Probe

Share = Annotated[float, Field(ge=0, le=1)]


class AugmentConfig(Config):
    """What is done to a training image, drawn anew each time it is shown, the same for every encoder.

    flip_share: mirrored left to right. min_area: the least share of its area that is cut out and enlarged.
    max_turn_deg: either way. max_brightness, max_contrast: the most that is added to, or multiplied on, pixels on a
    0-1 scale, as a share.
    """

    version: Literal[1] = 1
    flip_share: Share = 0.5
    min_area: Annotated[float, Field(gt=0, le=1)] = 0.7
    max_turn_deg: NonNegativeFloat = 10.0
    max_brightness: NonNegativeFloat = 0.1
    max_contrast: NonNegativeFloat = 0.1


class FineTuneConfig(Config):
    """AdamW with a linear warm-up and a cosine down to 0, the learning rate chosen on validation.

    learning_rates: the grid, of the head and the last layer; the one with the least validation loss is taken.
    layer_decay: each layer further down learns at that share of the rate above it.
    """

    version: Literal[1] = 1
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 32
    learning_rates: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (1e-4, 4e-4)
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 0.75
    weight_decay: NonNegativeFloat = 0.05
    warmup_share: Share = 0.1
    betas: tuple[Share, Share] = (0.9, 0.999)
    max_grad_norm: PositiveFloat = 1.0
    label_smoothing: Share = 0.0
    augment: AugmentConfig = AugmentConfig()


def probe(draw: Draw, options: FineTuneConfig) -> dict[str, Answers]:
    """Probabilities of the test items."""
    from osler.transfer.tune import fine_tuned

    settings: dict[str, Any] = options.model_dump()
    return {"": fine_tuned(draw, settings)}


PROBE = Probe(config=FineTuneConfig, run=probe, reads="images")
