"""PMC-OA: 1.6 million sub-figures of open-access articles, each with its part of the figure's caption.

Row:  {"image": "PMC212319_Fig3_4.jpg", "caption": "A. Real time image of ...", "alignment_type": "...",
       "alignment_score": 0.9}
The beta list has whole captions and no alignment.
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.figures import article_group, article_url, captioned
from osler.datasets.read import FirstOf, jsonl
from osler.schema.licence import UNKNOWN
from osler.schema.sample import Provenance, Sample


def to_sample(row: Row) -> Sample | Skip:
    """The caption of a sub-figure. How the two were matched is a tag (`alignment:...`); articles are groups."""
    name = str(row["image"])
    matched = str(row.get("alignment_type") or "").strip()
    return captioned(
        name,
        row["caption"],
        group=article_group(name),
        tags=(f"alignment:{matched}",) if matched else (),
        provenance=Provenance(dataset="pmc_oa", record_id=name, licence=UNKNOWN, source_url=article_url(name)),
    )


DATASET = Dataset(
    licence=UNKNOWN,
    access="open",
    modality="mixed",
    group_key="image",
    group_unit="article",
    splits={"train": None},
    rows=FirstOf(
        (
            jsonl({"train": "pmc_oa.jsonl"}, fields=("image", "caption", "alignment_type", "alignment_score")),
            jsonl({"train": "pmc_oa_beta.jsonl"}, fields=("image", "caption")),
        )
    ),
    to_sample=to_sample,
    media_folder="caption_T060_filtered_top4_sep_v0_subfigures",
    media_archives=("images.zip",),
    contiguous=True,
    hub_id="axiong/pmc_oa",
    stages=("align",),
    known_from="code",
    citation="Lin et al. PMC-CLIP: contrastive language-image pre-training using biomedical documents. MICCAI 2023. "
    "arXiv:2303.07240",
    source_url="https://huggingface.co/datasets/axiong/pmc_oa",
    layout="pmc_oa.jsonl (or pmc_oa_beta.jsonl) and images.zip, or its folder "
    "caption_T060_filtered_top4_sep_v0_subfigures/ unpacked",
    notes="The licence is the article's and is not in the list: each sample is NOASSERTION with the article's address. "
    "An article, told by the PMC id before the image's name, is one group in every set made from PubMed Central.",
)
