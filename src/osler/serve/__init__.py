"""The model behind an OpenAI-compatible gateway."""
