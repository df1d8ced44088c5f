"""Made data."""
