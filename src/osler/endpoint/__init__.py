"""Client of an OpenAI-compatible server."""
