"""Tasks, and the runner that asks them."""
