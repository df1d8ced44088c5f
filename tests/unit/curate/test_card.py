from osler.curate.card import SourceNote, write_card
from osler.curate.drops import count_drops, drop, drops_table, tally_drops


def test_a_card_without_samples_still_says_where_they_went(tmp_path):
    note = SourceNote(
        name="toy",
        licence="CC0-1.0",
        access="open",
        source_url="",
        citation="A | B",
        notes="",
        published={"train": 3, "test": None},
    )
    table = drops_table([drop("a", "rule", "image missing: x"), drop("b", "rule", "image missing: y")])
    write_card(tmp_path, title="Toy", sources=[note], store=None, drops=tally_drops(table))
    text = (tmp_path / "card.md").read_text()
    assert text.startswith("# Toy\n\nNo sample was kept.")
    assert "- Published rows: train 3, test unstated" in text and "- Notes" not in text
    assert "| rule | image missing | 2 |" in text


def test_drops_are_counted_by_kind_of_reason():
    rows = [drop("a", "r", "short answer: 1 of 3"), drop("b", "r", "short answer: 2 of 3"), drop("c", "q", "same id")]
    assert count_drops(tally_drops(drops_table(rows))) == {("q", "same id"): 1, ("r", "short answer"): 2}
