"""One file per command; the file name is its name."""
