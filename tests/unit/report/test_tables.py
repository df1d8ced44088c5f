"""The table of scores: what is partial, not at hand or published by others is said in columns of its own."""

from osler.report.tables import headline, published_notes
from osler.schema.result import Published, Result

PUBLISHED = Published(model="Other", metric="choice_accuracy", value=0.7259, source="a paper", n=1395, note="which?")


def result(task: str, **changes) -> Result:
    return Result(
        **{
            "task": task,
            "task_version": "1",
            "metric": "choice_accuracy",
            "metric_signature": "s",
            "value": 0.5,
            "n": 5,
            "n_clusters": 5,
            "unparsed": 0,
            "model": "ours",
            "dataset_ids_sha256": "",
            **changes,
        }
    )


def cells(table, task: str) -> dict[str, str]:
    row = next(row for row in table.rows if row[table.columns.index("task")] == task)
    return dict(zip(table.columns, row, strict=True))


def test_columns_are_there_only_where_there_is_something_to_say():
    columns = headline((result("a"),)).columns
    assert "items" not in columns and "published by others" not in columns


def test_published_scores_and_stamps_have_columns_and_change_no_order():
    absent = {"value": None, "n": 0, "notes": ("not at hand: no data folder holds x",)}
    results = (
        result("low", items="partial", published=(PUBLISHED,)),
        result("gone", published=(PUBLISHED,), **absent),
        result("high", value=0.9, items="verified"),
    )
    table = headline(results)
    assert [row[0] for row in table.rows] == ["low", "gone", "high"]
    low, gone, high = (cells(table, task) for task in ("low", "gone", "high"))
    assert (low["value"], low["items"], low["published by others"]) == ("0.500", "partial", "0.726 (Other, n 1,395)")
    assert (gone["value"], gone["items"]) == ("not at hand", "not at hand")
    assert gone["published by others"] == low["published by others"]
    assert (high["items"], high["published by others"]) == ("verified", "")
    assert published_notes(results)[0] == "published choice_accuracy of Other on low (a paper): which?"
