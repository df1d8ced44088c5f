from pathlib import Path

import pytest

from osler.core.settings import read_settings
from osler.datasets.adapters.jats_articles import DATASET, to_sample
from osler.datasets.dataset import Skip, read_drafts
from osler.datasets.jats.types import Article, Figure, Graphic, Mention, Terms

ARTICLE = Article(pmcid="PMC1", doi="10.1/x", article_type="case-report")
FIGURE = Figure(
    id="f1",
    title="A film.",
    graphics=(Graphic(("a.jpg",)),),
    terms=Terms("CC-BY-4.0"),
    section=("Case Report", "Imaging"),
    mentions=(Mention(text="See Fig 1.", start=4, end=9),),
    is_supplement=True,
)
ROW = {"id": "PMC1/f1", "article": "PMC1", "read": ARTICLE, "figure": FIGURE, "images": ["PMC1/a.jpg"], "missing": []}


def with_figure(**changes):
    fields = {name: getattr(FIGURE, name) for name in Figure.__slots__}
    return {**ROW, "figure": Figure(**{**fields, **changes})}


def test_a_figure_is_described_by_its_caption():
    sample = to_sample(ROW)
    assert (sample.task, sample.answer.kind, sample.answer.text) == ("caption", "text", "A film.")
    assert [ref.path for ref in sample.media] == ["PMC1/a.jpg"] and sample.question == "Describe this image."
    assert sample.tags == ("article_type:case-report", "section:case_report", "supplement")
    assert (sample.provenance.licence, sample.provenance.access) == ("CC-BY-4.0", "open")
    assert sample.provenance.source_url == "https://doi.org/10.1/x"


def test_several_pictures_are_asked_about_together():
    assert to_sample({**ROW, "images": ["a", "b"]}).question == "Describe these images."


def test_an_unknown_licence_is_never_open():
    assert to_sample(with_figure(terms=Terms())).provenance.access == "credentialed"
    assert DATASET.licence == "per-item", "each figure is asked by itself"


def test_figures_that_cannot_be_asked_about_are_skipped():
    assert to_sample(with_figure(title="", group_caption="Of all.")) == Skip("no caption")
    assert to_sample(with_figure(graphics=())) == Skip("no picture in the figure")
    assert to_sample({**ROW, "missing": ["no b.jpg", "no c.jpg"]}) == Skip("no image file: no b.jpg; no c.jpg")


def test_real_packages_are_joined_to_their_pictures():
    root: Path = read_settings().test_data / "jats_texture_dar"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    found = {d.id.partition("train/")[2]: d.sample for d in read_drafts(DATASET, "jats_articles", root, split="train")}
    assert {id: sample.media[0].path for id, sample in found.items() if id.startswith("elife")} == {
        f"elife-32671/manuscript/fig{n}": f"elife-32671/fig{n}.jpg" for n in range(1, 6)
    }
    assert found["kitchen-sink/manuscript/fig2b"].media[0].path == "kitchen-sink/fig1.jpg", "as its XML says"
    assert len({sample.group for sample in found.values()}) == 2


def test_paragraphs_that_name_a_figure_are_kept_once_under_its_own_terms():
    text = "See Fig 1."
    mentions = (
        Mention(text=text, start=4, end=9, section=("Results",)),
        Mention(text=text, start=0, end=3, section=("Results",)),
        Mention(text="Figs 1-3 differ.", start=0, end=8, in_range=True),
        Mention(text="As in Fig 1.", start=6, end=11, place="caption"),
    )
    row = with_figure(mentions=mentions)
    assert to_sample(row).mentions == (), "the article's own terms are not known to be the figure's"
    article = Article(pmcid="PMC1", terms=Terms("CC-BY-4.0"))
    (kept,) = to_sample({**row, "read": article}).mentions
    assert (kept.text, kept.section) == (text, ("Results",))
