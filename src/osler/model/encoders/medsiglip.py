"""MedSigLIP: SigLIP 400M at 448 px, tuned on chest films, pathology, dermatology, eye grounds, CT and MR slices.

Its weights are given to registered users under the terms of Health AI Developer Foundations.
"""

from osler.model.encoder import Encoder

_HALF = (0.5, 0.5, 0.5)

ENCODER = Encoder(
    paper="arXiv:2507.05201",
    licence="Health AI Developer Foundations terms of use",
    source="https://huggingface.co/google/medsiglip-448",
    layouts=("siglip",),
    widths=(1152,),
    image_mean=_HALF,
    image_std=_HALF,
)
