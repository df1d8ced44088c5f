"""Training in stages on TRL."""
