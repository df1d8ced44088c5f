"""Encoder + projector + language model, with processor and checkpoints."""
