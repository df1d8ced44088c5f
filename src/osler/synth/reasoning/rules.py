"""Rules: what a sample must be to be accepted, as plain values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Limits of the builder; the recipe's config says what each is for.

    rubric_splits: those whose samples get rubric units. seed: of every choice that is drawn.
    """

    seed: int = 0
    min_context_words: int = 40
    max_context_letters: int = 12000
    max_questions: int = 2
    num_options: int = 4
    min_stem_words: int = 8
    max_stem_words: int = 150
    max_option_words: int = 30
    max_length_ratio: float = 2.0
    blind_tries: int = 3
    blind_max_right: int = 1
    solve_tries: int = 1
    solve_min_right: int = 1
    min_trace_words: int = 40
    max_trace_words: int = 450
    min_source_sentences: int = 1
    max_knowledge_sentences: int = 4
    min_quote_words: int = 4
    min_units: int = 1
    max_units: int = 8
    rubric_splits: tuple[str, ...] = field(default=("test",))
