"""Engines: the model in this process, and models behind a URL."""
