"""From a model's words to scores: extraction, metrics, statistics."""
