"""Folders laid out as the real parts are published, in miniature: towers, language models and their tokenizers."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    GptOssForCausalLM,
    InternVLConfig,
    InternVLForConditionalGeneration,
    LlamaForCausalLM,
    PreTrainedModel,
)

from osler.model.family import Family
from toy import samples

EXTRA_ROWS = 8  # rows of the embedding table behind the last token, as the published models have them
HARMONY = (
    "<|startoftext|>", "<|endoftext|>", "<|reserved_200000|>", "<|reserved_200001|>", "<|return|>", "<|constrain|>",
    "<|reserved_200004|>", "<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|reserved_200009|>",
)  # fmt: skip
INTERNVL = (*HARMONY, "<img>", "</img>", "<IMG_CONTEXT>")
LLAMA = ("<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)))


def texts() -> list[str]:
    return [f"{sample.question} {sample.answer.text}" for number in range(4) for sample in samples(number)]


def harmony_tokenizer(folder: Path, special: tuple[str, ...] = HARMONY) -> int:
    """A byte-level BPE whose special tokens stand behind its words, as GPT-oss has them. Returns its size."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.add_special_tokens(list(special))
    return _save(tokenizer, folder)


def llama_tokenizer(folder: Path) -> int:
    """A BPE with byte fallback whose special tokens come first, as LLaMA has them. Returns its size."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=list(LLAMA), show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    content = json.loads(tokenizer.to_str())
    # Bytes are words of the vocabulary and no special tokens in the published file.
    content["added_tokens"] = [token for token in content["added_tokens"] if not token["content"].startswith("<0x")]
    return _save(Tokenizer.from_str(json.dumps(content)), folder)


def tower(family: Family, folder: Path, *, seed: int = 0) -> PreTrainedModel:
    """The family's tower alone."""
    return _saved(lambda: AutoModel.from_config(family.vision_config()), folder, seed)


def tower_pair(family: Family, folder: Path) -> PreTrainedModel:
    """A whole CLIP, text half included."""
    text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = CLIPConfig(
        vision_config=family.vision_config().to_dict(), text_config={**text, "vocab_size": 20}, projection_dim=8
    )
    return _saved(lambda: CLIPModel(config), folder, 0)


def language_model(family: Family, folder: Path, *, seed: int = 1, **changes: Any) -> PreTrainedModel:
    """The family's language model with a tokenizer of its kind."""
    kind = family.text_config(1, 0, 0).model_type
    size = {"gpt_oss": harmony_tokenizer, "llama": llama_tokenizer}[kind](folder)
    config = family.text_config(size + (EXTRA_ROWS if kind == "gpt_oss" else 0), 0, 1)
    for name, value in changes.items():
        setattr(config, name, value)
    kinds = {"gpt_oss": GptOssForCausalLM, "llama": LlamaForCausalLM}
    return _saved(lambda: kinds[kind](config), folder, seed)


def internvl(family: Family, folder: Path) -> InternVLForConditionalGeneration:
    """A whole InternVL with GPT-oss, in the layout of its "-HF" repositories."""
    size = harmony_tokenizer(folder, INTERNVL)
    config = InternVLConfig(
        vision_config=family.vision_config().to_dict(),
        text_config=family.text_config(size + EXTRA_ROWS, 0, 1).to_dict(),
        image_token_id=size - 1,
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    attention = {"text_config": "eager", "vision_config": "sdpa"}
    make = lambda: InternVLForConditionalGeneration._from_config(config, attn_implementation=attention)  # noqa: E731
    return _saved(make, folder, 2)


def pack_experts(folder: Path, packed: Path) -> dict[str, torch.Tensor]:
    """A copy of a GPT-oss folder whose experts are random MXFP4. Returns the packed tensors."""
    random = torch.Generator().manual_seed(3)
    tensors = load_file(folder / "model.safetensors")
    added = {}
    for name in [name for name in tensors if name.endswith(("gate_up_proj", "down_proj"))]:
        experts, columns, rows = tensors.pop(name).shape
        added[f"{name}_blocks"] = torch.randint(
            0, 256, (experts, rows, columns // 32, 16), dtype=torch.uint8, generator=random
        )
        added[f"{name}_scales"] = torch.randint(
            118, 124, (experts, rows, columns // 32), dtype=torch.uint8, generator=random
        )
    packed.mkdir()
    save_file({**tensors, **added}, packed / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}
    (packed / "config.json").write_text(json.dumps(config))
    (packed / "tokenizer.json").write_text((folder / "tokenizer.json").read_text())
    return added


def _save(tokenizer: Tokenizer, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer.get_vocab_size()


def _saved(make: Any, folder: Path, seed: int) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make().eval()
    model.save_pretrained(folder)
    return model
