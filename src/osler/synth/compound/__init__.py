"""Drawn compound figures whose panels are known."""
