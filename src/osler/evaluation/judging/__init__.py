"""Kept answers judged: by the units of a rubric, or against each other."""
