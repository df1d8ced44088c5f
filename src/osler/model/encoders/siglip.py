"""SigLIP and SigLIP 2 at a fixed picture size: CLIP with a sigmoid in place of the softmax over the batch.

SigLIP 2 with pictures of any shape (NaFlex) is another model and is not read.
"""

from osler.model.encoder import Encoder

_HALF = (0.5, 0.5, 0.5)

ENCODER = Encoder(
    paper="arXiv:2303.15343, arXiv:2502.14786",
    licence="Apache-2.0",
    source="https://huggingface.co/google/siglip2-base-patch16-224",
    layouts=("siglip",),
    image_mean=_HALF,
    image_std=_HALF,
)
