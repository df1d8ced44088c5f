"""Patient-trial matching with each judgement as its judges meant it: TREC's excluded patients are not eligible.

Row: as in `patient_trial`. SIGIR 2016: 0, would not refer -> not eligible; 1, would consider -> partially eligible;
2, highly likely to refer -> eligible. TREC 2021 and 2022: 0, not relevant -> not eligible; 1, excluded -> not
eligible; 2 -> eligible. The options are the same four in the same order.
"""

from osler.datasets.dataset import Dataset
from osler.datasets.trials import BY_MEANING, SPLITS, TrialPairs, trial_question

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
    to_sample=trial_question(BY_MEANING),
    citation="Jin et al. Matching patients to clinical trials with large language models. Nature Communications 15, "
    "9074 (2024). Topics and judgements: Koopman and Zuccon, SIGIR 2016; Roberts et al., TREC Clinical Trials 2021, "
    "2022",
    source_url="https://github.com/ncbi-nlp/TrialGPT",
    layout="{sigir,trec_2021,trec_2022}/queries.jsonl, qrels/test.tsv and corpus.jsonl, below dataset/ or not; or, "
    "instead of corpus.jsonl, trial_info.json beside them or hint_criteria/*.csv with nctid and criteria",
    notes="`train` is one patient of SIGIR 2016, set aside to be shown as an example. "
    "Not comparable with published scores, which take TREC's 1 for partially eligible. In TREC two of three "
    "judgements are not eligible here, so `partially eligible` is right for SIGIR 2016 only. The tags qrel: and "
    "judged: keep the judgement; subset:4936 marks the same pairs as in patient_trial.",
)
