"""Duplicates and leakage: images by hash and likeness, words by n-grams, sources by their ids."""
