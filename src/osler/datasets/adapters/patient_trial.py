"""Patient-trial matching: is this patient eligible for this trial? SIGIR 2016 and TREC Clinical Trials 2021 and 2022.

Row: {"id": "trec-20211_NCT00093613", "topic": "trec-20211", "trial": "NCT00093613", "cohort": "trec_2021",
      "score": "1", "note": "0. Patient is ...", "title": "...", "criteria": "Inclusion criteria: ...",
      "in_subset": false}
made of queries.jsonl {_id, text}, qrels/test.tsv (query-id, corpus-id, score) and the trials: corpus.jsonl
{_id, title, metadata: {brief_title, inclusion_criteria, exclusion_criteria}}, trial_info.json {id: the same fields}
or tables with nctid and criteria.

2, 1 and 0 are eligible, partially eligible and not eligible in all cohorts, as the published evaluation has it. The
tags `judged:` keep what the judges said; `patient_trial_by_meaning` asks the same with TREC's 1, excluded, as a no.
"""

from osler.datasets.dataset import Dataset
from osler.datasets.trials import BY_SCORE, SPLITS, TrialPairs, trial_question

DATASET = Dataset(
    licence="LicenseRef-Public-Domain",
    access="open",
    modality="text",
    group_key="topic",
    group_unit="patient",
    id_key="id",
    splits=SPLITS,
    stages=("evaluate",),
    known_from="file",
    rows=TrialPairs(),
    to_sample=trial_question(BY_SCORE),
    citation="Jin et al. Matching patients to clinical trials with large language models. Nature Communications 15, "
    "9074 (2024). Topics and judgements: Koopman and Zuccon, SIGIR 2016; Roberts et al., TREC Clinical Trials 2021, "
    "2022",
    source_url="https://github.com/ncbi-nlp/TrialGPT",
    layout="{sigir,trec_2021,trec_2022}/queries.jsonl, qrels/test.tsv and corpus.jsonl, below dataset/ or not; or, "
    "instead of corpus.jsonl, trial_info.json beside them or hint_criteria/*.csv with nctid and criteria",
    notes="`train` is one patient of SIGIR 2016, set aside as the example to show; the published files have one part. "
    "Judgements 0, 1, 2 mean would not refer, would consider, highly likely to refer in SIGIR 2016, but not "
    "relevant, excluded, eligible in TREC: there `partially eligible` stands for excluded patients. Published code "
    "swaps TREC's 0 and 1. No list of the 4,936 pairs of the published evaluation exists; those with the tag "
    "subset:4936 are ours, drawn with seed 0, equal shares of each judgement of each cohort. No pair is judged `not "
    "enough information`. Pairs whose trial is not in the files are counted drops. Cohorts whose folder is not there "
    "are not read.",
)
