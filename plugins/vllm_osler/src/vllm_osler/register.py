"""The entry point that vLLM calls in each of its processes."""


def register() -> None:
    """Teach transformers the configuration and vLLM the model. Idempotent; the model is imported when it is needed."""
    from transformers import AutoConfig
    from vllm import ModelRegistry

    from vllm_osler.config import ARCHITECTURE, OslerGptOssConfig

    AutoConfig.register(OslerGptOssConfig.model_type, OslerGptOssConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(ARCHITECTURE, f"vllm_osler.model:{ARCHITECTURE}")
