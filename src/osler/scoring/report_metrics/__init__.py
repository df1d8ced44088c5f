"""Metrics of whole reports: extractors that need weights, and scorers of what they found, which need none."""
