"""Odd cases of the text sets, and the real files where they are at hand."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.datasets.dataset import read_drafts

FIXTURES = Path(__file__).parents[3] / "fixtures" / "datasets"


def drafts(name, root, split="train"):
    return list(read_drafts(ADAPTERS.load(name), name, root, split=split))


def samples(name, root, split="train"):
    return [draft.sample for draft in drafts(name, root, split) if draft.sample]


def real(test_data, folder):
    if not (test_data / folder).is_dir():
        pytest.skip(f"no {folder} among the real files")
    return test_data / folder


def test_real_mmlu_files_have_all_questions_of_six_subjects(test_data):
    found = drafts("mmlu_med", real(test_data, "mirage_raw/rawdata/mmlu/data"), "test")
    subjects = Counter(tag for d in found if d.sample for tag in d.sample.tags if tag.startswith("subject"))
    assert len(found) == 1089 and subjects["subjects:6"] == subjects["subjects:9"] == sum(bool(d.sample) for d in found)
    assert subjects["subject:anatomy"] == 135 and len({d.id for d in found}) == 1089
    assert all(d.skip == "two options have the words of the right one" for d in found if not d.sample)


def test_real_medquad_documents_have_a_question_an_answer_and_an_address(test_data):
    root = real(test_data, "medquad")
    found = drafts("med_quad", root)
    good = [draft.sample for draft in found if draft.sample]
    assert len(found) == len({draft.id for draft in found}) and len(good) == len(found) > 300
    assert {sample.provenance.source_url.partition(":")[0] for sample in good} <= {"http", "https"}
    assert {"source:NIDDK", "source:CancerGov"} <= {tag for sample in good for tag in sample.tags}
    assert len({sample.group for sample in good}) == sum(1 for _ in root.rglob("*.xml"))


def test_the_real_medication_workbook_has_690_rows(test_data):
    found = samples("medication_qa", real(test_data, "medicationqa"))
    assert len(found) == 690 and all(sample.answer.text for sample in found)
    assert len({sample.group for sample in found}) < 690


def test_a_medquad_file_that_declares_entities_is_refused(tmp_path):
    folder = tmp_path / "1_X_QA"
    folder.mkdir()
    (folder / "1.xml").write_text('<!DOCTYPE d [<!ENTITY a "aaaa">]><Document id="1"><QAPairs/></Document>')
    assert [draft.skip for draft in drafts("med_quad", tmp_path)] == ["unsafe file: 1_X_QA/1.xml declares entities"]


def test_the_hub_gives_mmlu_the_same_ids_and_answers(tmp_path):
    row = {"question": "How many lungs?", "subject": "anatomy", "choices": ["1", "2", "3", "4"], "answer": 1}
    for subject in ADAPTERS.load("mmlu_med").rows.readers[1].files["test"]:
        path = tmp_path / subject.replace("*", "00000-of-00001")
        path.parent.mkdir()
        pq.write_table(pa.Table.from_pylist([{**row, "subject": path.parent.name}]), path)
    hub = samples("mmlu_med", tmp_path, "test")
    local = samples("mmlu_med", FIXTURES / "mmlu_med", "test")
    assert len(hub) == 9 and (hub[0].id, hub[0].answer, hub[0].question) == (
        (local[0].id, local[0].answer, local[0].question)
    )


def test_medqa_prefers_four_options_and_says_how_many_there_are(tmp_path):
    row = {"question": "Which?", "answer": "b", "answer_idx": "B", "meta_info": "step1"}
    five = {"A": "a", "B": "b", "C": "c", "D": "d", "E": "e"}
    (tmp_path / "train.jsonl").write_text(json.dumps({**row, "options": five}))
    assert samples("med_qa", tmp_path)[0].tags == ("options:5", "exam:step1")
    (tmp_path / "4_options").mkdir()
    four = {key: five[key] for key in "ABCD"}
    (tmp_path / "4_options" / "phrases_no_exclude_train.jsonl").write_text(json.dumps({**row, "options": four}))
    assert samples("med_qa", tmp_path)[0].tags == ("options:4", "exam:step1")


def test_medbullets_pairs_its_two_forms_and_keeps_link_and_explanation():
    found = samples("medbullets", FIXTURES / "medbullets", "test")
    assert [sample.tags for sample in found] == [("options:4",), ("options:4",), ("options:5",)]
    assert found[0].group == found[2].group != found[1].group
    assert found[0].provenance.source_url == "https://example.org/1" and found[0].reasoning == "Coughs pass."
    assert found[1].answer.text == "2" and found[1].provenance.source_url.startswith("https://github.com")


def test_medbullets_rows_instead_of_columns_are_named(tmp_path):
    (tmp_path / "medbullets_op4.json").write_text(json.dumps({"0": {"question": "Which?"}}))
    with pytest.raises(InputError, match="lacks question, opa.*expected columns question.*got 0"):
        drafts("medbullets", tmp_path, "test")


def test_pubmedqa_reads_the_hub_with_the_official_test_ids(tmp_path):
    context = {"contexts": ["We asked."], "labels": ["AIMS"], "meshes": []}
    row = {"question": "Is it?", "context": context, "long_answer": "It is.", "final_decision": "yes"}
    (tmp_path / "pqa_labeled").mkdir()
    rows = [{"pubid": number, **row} for number in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pqa_labeled" / "train-00000-of-00001.parquet")
    with pytest.raises(InputError, match="lacks test_ground_truth.json"):
        drafts("pubmed_qa", tmp_path, "test")
    (tmp_path / "test_ground_truth.json").write_text('{"1": "yes"}')
    assert [sample.id for sample in samples("pubmed_qa", tmp_path, "test")] == ["pubmed_qa/test/1"]
    assert samples("pubmed_qa", tmp_path)[0].question == "AIMS: We asked.\n\nIs it?\nAnswer yes, no or maybe."


def test_traces_are_kept_apart_from_the_answer():
    one = {name: samples(name, FIXTURES / name)[0] for name in ("ii_medical_reasoning", "med_thoughts", "med_reason")}
    assert one["ii_medical_reasoning"].reasoning == "Hm." and one["med_thoughts"].reasoning == "Okay, tea."
    assert one["med_reason"].reasoning.startswith("Finding") and one["med_reason"].tags == ("source:medmcqa",)
    reason_med = samples("reason_med", FIXTURES / "reason_med")
    assert {sample.tags[0]: bool(sample.reasoning) for sample in reason_med} == {
        "form:CoTMed": False,
        "form:ReasonMed": True,
        "form:ResponseMed": False,
    }
    assert len({sample.group for sample in reason_med}) == 1
    assert samples("pmc_llama_instructions", FIXTURES / "pmc_llama_instructions")[0].reasoning.startswith("Tea is")


def test_languages_are_tagged():
    tags = {
        name: [s.tags[0] for s in samples(name, FIXTURES / name)] for name in ("infinity_instruct_gen", "med_exp_qa")
    }
    assert tags["infinity_instruct_gen"] == ["lang:en", "lang:zh"]
    assert tags["med_exp_qa"] == ["lang:en", "lang:es", "lang:fr", "lang:it"]
    assert [s.tags for s in samples("ii_medical_reasoning", FIXTURES / "ii_medical_reasoning")][1] == ("lang:zh",)


def test_the_doctors_answer_is_the_one_of_icliniq():
    sample = samples("icliniq", FIXTURES / "icliniq")[0]
    assert sample.answer.text == "Hello. Drink tea." and sample.answer.alternatives == ()
