"""One file per image encoder."""
