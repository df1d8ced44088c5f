"""JATS articles: the figures of articles in XML (PMC, PLOS, eLife and others) with their captions.

Row: {"id": "PMC123/fig1", "article": "PMC123", "images": ["PMC123/fig1.jpg"], "missing": []} and, typed, "read": the
Article and "figure": the Figure of `osler.datasets.jats.types`, with mentions and licence.
"""

from osler.datasets.dataset import Dataset, Row, Skip
from osler.datasets.jats.packages import ArticleRows
from osler.datasets.jats.types import Article, Figure
from osler.datasets.wording import DESCRIBE
from osler.schema.sample import Access, Mention, Provenance, Sample, image, passage, user

_SEVERAL = "Describe these images."


def to_sample(row: Row) -> Sample | Skip:
    """Ask for a description of the figure; its own caption is the answer. An unknown licence is never open."""
    article, figure = row["read"], row["figure"]
    if not figure.caption:
        return Skip("no caption")
    if not figure.graphics:
        return Skip("no picture in the figure")
    if row["missing"]:
        return Skip(f"no image file: {'; '.join(row['missing'])}")
    access: Access = "credentialed" if figure.terms.licence == "NOASSERTION" else "open"
    return Sample(
        turns=(user(*(image(path) for path in row["images"]), DESCRIBE if len(row["images"]) == 1 else _SEVERAL),),
        answer=passage(figure.caption),
        task="caption",
        tags=_tags(article.article_type, figure.section[:1], is_supplement=figure.is_supplement),
        mentions=_mentions(article, figure),
        provenance=Provenance(
            dataset="jats_articles",
            record_id=row["id"],
            licence=figure.terms.licence,
            access=access,
            source_url=_address(article.doi, article.pmcid),
        ),
    )


def _tags(article_type: str, section: tuple[str, ...], *, is_supplement: bool) -> tuple[str, ...]:
    tags = [f"article_type:{article_type}"] if article_type else []
    tags += [f"section:{'_'.join(title.lower().split())}" for title in section]
    return (*tags, "supplement") if is_supplement else tuple(tags)


def _mentions(article: Article, figure: Figure) -> tuple[Mention, ...]:
    """The paragraphs that name the figure, each once; none where the text's terms are not the figure's own."""
    if article.terms.licence != figure.terms.licence:
        return ()
    found = {m.text: m.section for m in figure.mentions if m.place == "paragraph" and not m.in_range}
    return tuple(Mention(text=text, section=section) for text, section in found.items())


def _address(doi: str, pmcid: str) -> str:
    if doi:
        return f"https://doi.org/{doi}"
    return f"https://pmc.ncbi.nlm.nih.gov/articles/{pmcid}/" if pmcid else ""


DATASET = Dataset(
    licence="per-item",
    access="open",
    modality="article figure",
    group_key="article",
    group_unit="article",
    id_key="id",
    known_from="file",
    splits={"train": None},
    rows=ArticleRows(),
    to_sample=to_sample,
    contiguous=True,
    citation="ANSI/NISO Z39.96, JATS: Journal Article Tag Suite",
    source_url="https://pmc.ncbi.nlm.nih.gov/tools/openftlist/",
    layout="article files (.xml, .nxml) at any depth, each with the pictures of its figures in its folder or below it",
    notes="Each figure has a licence of its own; NOASSERTION, never open, where none is stated or it is another's. "
    "Modality and body part are not known: figures are charts and drawings as well as pictures of patients.",
)
