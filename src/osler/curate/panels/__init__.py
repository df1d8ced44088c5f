"""Compound figures: their panels found, cut out, and given their part of the caption."""
