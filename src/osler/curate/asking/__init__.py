"""Operators that ask a model behind an endpoint: its options, the questions, what is kept of the answers."""
