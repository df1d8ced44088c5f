"""Drawn chest radiographs whose truth is known."""
