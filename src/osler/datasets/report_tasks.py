"""Two tasks on the report of a study: findings from its images, and the impression from its findings."""

from osler.datasets.dataset import Skip
from osler.datasets.reports import Report
from osler.datasets.studies import Study, image_list, shown
from osler.schema.sample import Sample, passage, user

_ASK_FINDINGS = "Describe the findings on this chest radiograph."
_ASK_VIEWS = "Describe the findings of this chest radiograph study, taking all views together."
_ASK_CHANGE = "Describe the findings of the current study. Where the prior study shows a change, say what has changed."
_ASK_IMPRESSION = "Write the impression of this report: what the findings mean, the most important first."


def findings_sample(
    report: Report, current: Study, prior: Study | None = None, *, prior_report: Report | None = None
) -> Sample | Skip:
    """Show the study and its prior and ask for the findings.

    The indication is given. The prior's findings are given only where `prior_report` is. Tags: `multi_view`,
    `longitudinal`, or `single_view` for one image without a prior; `findings_from:SECTION` where the findings do not
    stand in a section of their own.
    """
    reason = report.why_no_findings
    if reason:
        return Skip(reason)
    refs = shown(current, prior)
    ask = _ASK_CHANGE if prior else _ASK_FINDINGS if len(refs) == 1 else _ASK_VIEWS
    lines = [image_list(refs), _indication(report)]
    if prior_report and prior_report.findings:
        lines.append(f"Findings of the prior study: {prior_report.findings}")
    return Sample(
        turns=(user(*refs, "\n".join([*filter(None, lines), ask])),),
        answer=passage(report.findings),
        task="findings",
        tags=("task:findings", *_kinds(current, prior), *_source(report)),
    )


def impression_sample(report: Report) -> Sample | Skip:
    """Give the findings, without images, and ask for the impression of the same report."""
    reason = report.why_no_impression
    if reason:
        return Skip(reason)
    lines = [_indication(report), f"Findings: {report.findings}", _ASK_IMPRESSION]
    return Sample(
        turns=(user("\n".join(filter(None, lines))),),
        answer=passage(report.impression),
        task="impression",
        modality="text",
        tags=("task:impression", *_source(report)),
    )


def _indication(report: Report) -> str:
    return f"Indication: {report.indication}" if report.indication else ""


def _kinds(current: Study, prior: Study | None) -> tuple[str, ...]:
    kinds = ("multi_view",) if len(current.views) > 1 else ()
    return (*kinds, "longitudinal") if prior else kinds or ("single_view",)


def _source(report: Report) -> tuple[str, ...]:
    return () if report.findings_from == "findings" else (f"findings_from:{report.findings_from}",)
