"""One file per named dataset."""
