"""The next token of a row: the likeliest, or one drawn by the row's own generator, whatever rows stand beside it."""

import torch

from osler.serve.engine import Ask


class Chooser:
    """Chooses tokens for one request."""

    def __init__(self, ask: Ask) -> None:
        self.is_greedy = ask.temperature == 0
        self._temperature, self._top_p = ask.temperature, ask.top_p
        self._generator = torch.Generator()
        if ask.seed is not None:
            self._generator.manual_seed(ask.seed % 2**63)

    def draw(self, logits_V: torch.Tensor) -> int:
        """One token out of the smallest set of likeliest tokens whose probabilities reach `top_p`.

        (Nucleus sampling, arXiv:1904.09751, section 3.1.)
        """
        probabilities = torch.softmax(logits_V.cpu().double() / self._temperature, -1)
        if self._top_p < 1:
            sorted_V, order_V = probabilities.sort(descending=True, stable=True)
            # A token is left out where those before it are enough already.
            sorted_V[sorted_V.cumsum(-1) - sorted_V >= self._top_p] = 0
            probabilities = torch.zeros_like(probabilities).scatter(0, order_V, sorted_V)
        return int(torch.multinomial(probabilities, 1, generator=self._generator))


def next_tokens(logits_BV: torch.Tensor, choosers: list[Chooser]) -> torch.Tensor:
    """The next token of each row, ids [B] on the logits' device."""
    chosen = logits_BV.argmax(-1)
    for row, chooser in enumerate(choosers):
        if not chooser.is_greedy:
            chosen[row] = chooser.draw(logits_BV[row])
    return chosen
