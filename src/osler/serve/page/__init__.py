"""The page for readers: its files, and what serves them."""
