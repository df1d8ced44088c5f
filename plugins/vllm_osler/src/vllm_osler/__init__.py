"""vLLM plugin: CLIP tower, projector and GPT-oss as Osler composes them."""
