"""PMC-CLIP: CLIP's ResNet-50 and PubMedBERT on 1.6 million figures of PubMed Central (PMC-OA).

Published as three pickles without a configuration: the towers and the text projection. The how-to shows how they become
one folder in open_clip's layout.
"""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2303.07240",
    licence="not stated; PMC-OA is open access",
    source="https://huggingface.co/datasets/axiong/pmc_oa",
    layouts=("open_clip",),
    widths=(768,),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
    conversion="Join image_encoder, text_encoder and text_projection_layer in one open_clip_model.safetensors.",
)
