"""How far a guess gets that never sees the film: the ceiling of a text-only answer, task by task.

The guess learns on the train questions and is scored on the test questions. Two guessers are tried:

majority: the one answer (of a choice, the one letter) that is most frequent in the task.
question_prior: the most frequent answer to the same words; for a choice the offered option that was right
most often where it was offered; for a number the one value within whose tolerance most answers lie.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osler.schema.sample import Answer, Sample


@dataclass(frozen=True)
class Question:
    """What a guesser sees, and the answer: `words` is the question without its options."""

    task: str
    words: str
    kind: str
    answer: str
    options: tuple[str, ...] = ()
    tolerance: float = 0.0

    @property
    def letter(self) -> int:
        """The place of the right option."""
        return self.options.index(self.answer)


def question_of(sample: Sample) -> Question:
    """A sample reduced to its words."""
    answer: Answer = sample.answer
    words = sample.question.partition("\n")[0]
    return Question(sample.task, words, answer.kind, answer.text, answer.options, answer.tolerance)


def text_ceilings(train: Iterable[Question], test: Iterable[Question]) -> dict[str, dict[str, float | int]]:
    """For each task of `test`: n, majority and question_prior (shares of right guesses). Long texts are left out."""
    learned, asked = _by_task(train), _by_task(test)
    return {
        task: {
            "n": len(questions),
            "majority": round(_majority(learned[task], questions), 4),
            "question_prior": round(_question_prior(learned[task], questions), 4),
        }
        for task, questions in sorted(asked.items())
    }


def _by_task(questions: Iterable[Question]) -> dict[str, list[Question]]:
    tasks: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.kind != "text":
            tasks[question.task].append(question)
    return tasks


def _majority(train: Sequence[Question], test: Sequence[Question]) -> float:
    best = _most_frequent(_key(question) for question in train or test)
    return _share(_key(question) == best for question in test)


def _question_prior(train: Sequence[Question], test: Sequence[Question]) -> float:
    train = train or test
    if test[0].kind == "choice":
        rates = _option_rates(train)
        return _share(max(q.options, key=lambda option: rates.get(option, 0.0)) == q.answer for q in test)
    if test[0].kind == "number":
        best = _widest_value(train)
        return _share(_within(best, question) for question in test)
    fallback = _most_frequent(question.answer for question in train)
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for question in train:
        answers[question.words][question.answer] += 1
    guesses = {words: _most_frequent(count.elements()) for words, count in answers.items()}
    return _share(guesses.get(question.words, fallback) == question.answer for question in test)


def _option_rates(questions: Sequence[Question]) -> dict[str, float]:
    """How often each option was right where it was offered."""
    offered: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for question in questions:
        offered.update(question.options)
        right[question.answer] += 1
    return {option: right[option] / count for option, count in offered.items()}


def _widest_value(questions: Sequence[Question]) -> str:
    """The answer that is right, within the tolerance, for most questions; of several, the smallest."""
    counts = Counter((q.answer, q.tolerance) for q in questions)
    hits: Counter[str] = Counter()
    for value in {q.answer for q in questions}:
        hits[value] = sum(n for (answer, slack), n in counts.items() if _is_near(value, answer, slack))
    return min(hits, key=lambda value: (-hits[value], float(value)))


def _within(guess: str, question: Question) -> bool:
    return _is_near(guess, question.answer, question.tolerance)


def _is_near(guess: str, answer: str, tolerance: float) -> bool:
    return abs(float(guess) - float(answer)) <= tolerance + 1e-9


def _key(question: Question) -> str:
    return str(question.letter) if question.kind == "choice" else question.answer


def _most_frequent(answers: Iterable[str]) -> str:
    """The most frequent of `answers`; of several, the first in the alphabet."""
    counts = Counter(answers)
    return min(counts, key=lambda answer: (-counts[answer], answer))


def _share(hits: Iterable[bool]) -> float:
    values = list(hits)
    return sum(values) / len(values)
