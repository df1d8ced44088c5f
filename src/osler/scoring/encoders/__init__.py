"""Encoders compared on labelled image sets: kept predictions, metrics, intervals over seeds, tests and ranks."""
