from collections import Counter

import pytest

from osler.core.settings import read_settings
from osler.datasets.adapters.patient_trial import DATASET
from osler.datasets.adapters.patient_trial_by_meaning import DATASET as BY_MEANING
from osler.datasets.dataset import check_layout, read_drafts
from osler.datasets.read import tsv_table
from osler.datasets.trials import (
    ASKED,
    EXAMPLE_JUDGED,
    EXAMPLE_TOPIC,
    JUDGED,
    OPTIONS,
    SUB_SAMPLE_TAG,
    quotas,
    sub_sample,
)

REAL = read_settings().test_data / "clinical_trials"
needs_files = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real files at {REAL}")


def pairs(cohort):
    rows = tsv_table({"test": f"{cohort}/qrels/test.tsv"})(REAL / "dataset", "test")
    return [(f"{row['query-id']}_{row['corpus-id']}", row["score"]) for row in rows]


def test_shares_are_equal_and_small_cells_are_taken_in_full():
    shares = quotas(4936)
    assert sum(shares.values()) == 4936 and shares["sigir", 2] == 404
    assert {share for cell, share in shares.items() if cell != ("sigir", 2)} == {566, 567}
    assert quotas(10**6) == {(cohort, n): count for cohort in ASKED for n, count in enumerate(ASKED[cohort])}
    assert sum(sum(counts) for counts in JUDGED.values()) == sum(DATASET.splits.values()) == 75061


def test_the_sub_sample_is_the_same_whatever_the_order():
    judged = [(f"p{n}", str(n % 3)) for n in range(3000)]
    chosen = sub_sample("trec_2021", judged)
    assert chosen == sub_sample("trec_2021", judged[::-1]) != sub_sample("trec_2021", judged, seed=1)
    assert sorted(Counter(n for id, n in judged if id in chosen).items()) == [("0", 567), ("1", 567), ("2", 567)]
    assert sub_sample("sigir", [("a", "7")]) == frozenset()


@needs_files
def test_the_published_judgements_are_those_declared():
    for cohort in ("sigir", "trec_2021"):
        judged = pairs(cohort)
        assert tuple(Counter(score for _, score in judged)[n] for n in "012") == JUDGED[cohort]
        judged = [pair for pair in judged if not pair[0].startswith(f"{EXAMPLE_TOPIC}_")]
        assert len(sub_sample(cohort, judged)) == sum(share for (c, _), share in quotas(4936).items() if c == cohort)


@needs_files
def test_real_topics_and_trials_become_questions():
    drafts = list(read_drafts(DATASET, "patient_trial", REAL, split="test"))
    assert len(drafts) == 3835 + 35832 - sum(EXAMPLE_JUDGED) and len({draft.id for draft in drafts}) == len(drafts)
    kept = [draft.sample for draft in drafts if draft.sample]
    assert Counter(draft.skip for draft in drafts if draft.skip) == {"the trial's text is not at hand": 39188 - 83}
    assert len({sample.group for sample in kept}) > 40 and len(kept) == 478
    assert all(sample.question.startswith("Patient note:\n0. ") for sample in kept)
    assert all(sorted(sample.answer.options) == sorted(OPTIONS) for sample in kept)
    assert len({sample.answer.options for sample in kept}) == 24
    marked = [sample for sample in kept if SUB_SAMPLE_TAG in sample.tags]
    assert 0 < len(marked) < len(kept)


@needs_files
def test_the_patient_shown_as_example_is_asked_nothing():
    examples = list(read_drafts(DATASET, "patient_trial", REAL, split="train"))
    assert len(examples) == DATASET.splits["train"] == sum(EXAMPLE_JUDGED)
    assert all(draft.id.startswith(f"patient_trial/train/{EXAMPLE_TOPIC}_") for draft in examples)
    kept = [draft.sample for draft in examples if draft.sample]
    assert {sample.group for sample in kept} <= {f"patient_trial/{EXAMPLE_TOPIC}"}
    assert not any(SUB_SAMPLE_TAG in sample.tags for sample in kept)
    asked = read_drafts(DATASET, "patient_trial", REAL, split="test")
    assert not any(EXAMPLE_TOPIC in draft.id for draft in asked)


@needs_files
def test_what_a_judgement_means_is_kept_and_read_two_ways():
    rows = [row for row in DATASET.rows(REAL, "test") if row["criteria"]]

    def answers(dataset):
        samples = map(dataset.to_sample, rows)
        return {(sample.tags[0], sample.tags[2], sample.answer.text) for sample in samples}

    plain, by_meaning = answers(DATASET), answers(BY_MEANING)
    assert ("cohort:trec_2021", "judged:excluded", "partially eligible") in plain
    assert ("cohort:trec_2021", "judged:excluded", "not eligible") in by_meaning
    assert ("cohort:sigir", "judged:would_consider", "partially eligible") in plain & by_meaning
    assert {answer for _, judged, answer in plain | by_meaning if judged == "judged:not_relevant"} == {"not eligible"}


def test_one_file_of_trials_serves_all_cohorts_and_broken_judgements_are_counted(tmp_path):
    folder = tmp_path / "sigir"
    (folder / "qrels").mkdir(parents=True)
    (folder / "queries.jsonl").write_text('{"_id": "sigir-1", "text": "A man."}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nsigir-1\tNCT1\t2\nsigir-1\tNCT2\n")
    check = [path.name for path in DATASET.rows.paths(tmp_path, "test")]
    assert check == ["queries.jsonl", "test.tsv", "corpus.jsonl"]
    info = '{"NCT1": {"brief_title": "T", "inclusion_criteria": "Men", "exclusion_criteria": ""}}'
    (tmp_path / "trial_info.json").write_text(info)
    check_layout(DATASET, "patient_trial", tmp_path, split="test")
    first, second = read_drafts(DATASET, "patient_trial", tmp_path, split="test")
    assert (
        first.sample.answer.text == "eligible"
        and "Clinical trial: T\n\nInclusion criteria:\n- Men" in first.sample.question
    )
    assert second.skip == "broken line: line 3 has 2 fields, expected 3"
