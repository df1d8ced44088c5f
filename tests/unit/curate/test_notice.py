from osler.curate.card import SourceNote
from osler.curate.mixture import Terms
from osler.curate.notice import bib_entry, write_notice


def note(name: str, licence: str, citation: str = "", access: str = "open") -> SourceNote:
    return SourceNote(
        name=name, licence=licence, access=access, source_url="https://example.org/x", citation=citation, notes="",
        published={"train": 1},
    )  # fmt: skip


def test_every_set_is_named_with_what_its_terms_ask(tmp_path):
    sources = [
        note("films", "per-item", "Roe et al. Films. 2020"),
        note("dark", "see card"),
        note("clinic", "x", "", "credentialed"),
    ]
    terms = [
        Terms(each.name, each.licence, each.access, "our letter" if each.name == "dark" else "") for each in sources
    ]
    licences = {"films": {"CC BY-NC-SA": 3, "NOASSERTION": 1}, "dark": {"see card": 2}}
    write_notice(tmp_path, title="Mix", use="research", sources=sources, terms=terms, licences=licences)
    text = (tmp_path / "NOTICE").read_text()
    assert text.startswith("Mix\n") and "curated for research" in text
    films, dark, clinic = (text.split(f"\n{name}\n---")[1] for name in ("films", "dark", "clinic"))
    assert "Attribution: Roe et al. Films. 2020" in films and "each sample has its own" in films
    assert "3 samples: Creative Commons BY-NC-SA [CC-BY-NC-SA] (stated as 'CC BY-NC-SA')" in films
    assert "no commercial use" in films and "1 samples: NOT KNOWN" in films
    assert "NOT KNOWN (stated as 'see card')" in dark and "in the words of the recipe: our letter" in dark
    assert "credentialed; it must not be passed on" in clinic
    assert (tmp_path / "citations.bib").read_text().count("@misc") == 1


def test_a_citation_becomes_an_entry_with_what_is_certain():
    entry = bib_entry(note("my.set", "MIT", "Roe. A set. Data 5, 180251 (2018). doi:10.1038/sdata.2018.251"))
    assert entry.startswith("@misc{my_set,\n") and "doi = {10.1038/sdata.2018.251}" in entry
    assert "year = {2018}" in entry and "eprint" not in entry
    entry = bib_entry(note("s", "MIT", "Pal et al. A set. CHIL 2022. arXiv:2203.14371"))
    assert "eprint = {2203.14371}" in entry and "year = {2022}" in entry and "doi" not in entry
