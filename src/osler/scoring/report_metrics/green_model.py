"""The language model of GREEN: reads a report and its reference, writes its analysis, greedily.

`prompt.txt` in the folder is the question that the model was trained on, with `{reference}` and `{candidate}` where the
texts belong; its hash is part of the weights' hash.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from osler.core.errors import InputError
from osler.scoring.report_metrics.extract import Run
from osler.scoring.report_metrics.local_model import load_model, load_tokenizer
from osler.scoring.report_metrics.pairs import read_pair

_MAX_NEW_TOKENS = 2048


def load(folder: Path, device: str) -> Run:
    """A function from pairs of texts (see `pairs.py`) to `{"analysis": words}`."""
    prompt = (Path(folder) / "prompt.txt").read_text(encoding="utf-8")
    if not all(part in prompt for part in ("{reference}", "{candidate}")):
        raise InputError(f"{folder}/prompt.txt must hold {{reference}} and {{candidate}}")
    tokenizer, model = load_tokenizer(folder), load_model(AutoModelForCausalLM, folder, device)

    @torch.inference_mode()
    def run(keys: Sequence[str]) -> list[Any]:
        return [{"analysis": _analysis(*read_pair(key))} for key in keys]

    def _analysis(given: str, gold: str) -> str:
        text = _ask(tokenizer, prompt, given, gold)
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=tokenizer.chat_template is None).to(device)
        room = getattr(model.config, "max_position_embeddings", 2 * _MAX_NEW_TOKENS) - ids["input_ids"].shape[1]
        if room < 1:
            return ""
        written = model.generate(
            input_ids=ids["input_ids"],
            attention_mask=ids["attention_mask"],
            do_sample=False,
            max_new_tokens=min(_MAX_NEW_TOKENS, room),
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
        )
        return str(tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))

    return run


def _ask(tokenizer: Any, prompt: str, given: str, gold: str) -> str:
    before, _, after = prompt.partition("{reference}")
    filled = before.replace("{candidate}", given) + gold + after.replace("{candidate}", given)
    if tokenizer.chat_template is None:
        return filled
    # Templates of this family name the speaker in either way.
    message = {"role": "user", "content": filled, "from": "human", "value": filled}
    return str(tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True))
