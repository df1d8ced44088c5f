"""Words that several adapters put around what their rows hold."""

from osler.schema.sample import LETTERS, Answer, closed, open_answer

DESCRIBE = "Describe this image."


def ask_choice(question: str, options: tuple[str, ...]) -> str:
    """The question with its options below, one a line, each after its letter."""
    lines = [f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False)]
    return "\n".join([question.strip(), *lines])


def closed_or_open(text: str, *, is_closed: bool) -> Answer:
    """A short answer as its set marks it: yes/no with these two labels, another closed answer without labels."""
    words = text.strip()
    if words.lower() in {"yes", "no"}:
        return closed(words) if is_closed else open_answer(words)
    return closed(words, labels=()) if is_closed else open_answer(words)
