"""Which kernels are refused, for whom, and what is taken instead."""

from typing import Any

import pytest

from osler.core.errors import InputError
from osler.model import kernels
from osler.model.config import OslerConfig
from osler.model.families import medgpt_oss_20b, openmedq

GPT, LLAMA = (module.FAMILY.miniature().skeleton().config for module in (medgpt_oss_20b, openmedq))
HOPPER, AMPERE = (9, 0), (8, 0)


def check(
    text: str, *, config: OslerConfig = GPT, device: str = "cuda", training: bool = True, capability=HOPPER
) -> None:
    attention = {"text_config": text, "vision_config": "sdpa"}
    kernels.check(config, attention=attention, experts="eager", device=device, training=training, capability=capability)


@pytest.fixture
def flash_4_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "is_flash_attn_4_available", lambda: True)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("sdpa", {}, "attention 'sdpa' for text_config: scaled_dot_product_attention has no sinks. Use flex_attention"),
        ("sdpa", {"device": "cpu"}, "has no sinks. Use eager"),
        ("flash_attention_2", {}, "no sinks"),
        ("flash_attention_3", {"training": False}, "no sinks"),
        ("flex_attention", {"device": "cpu"}, "does not run on cpu. Use eager"),
        ("kernels-community/vllm-flash-attn3", {}, "backward pass has no sinks"),
        ("flash_attention_4", {"capability": AMPERE}, "compute capability 9.0 or higher; this GPU's is 8.0"),
        ("flash_attention_4", {"device": "cpu"}, "does not run on cpu"),
        ("flash_attention_4", {}, "flash-attn-4 is not installed"),
        ("flex_atention", {}, "no such implementation. Did you mean 'flex_attention'"),
    ],
)
def test_refused_by_name(text: str, options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check(text, **options)


def test_allowed(flash_4_installed: None) -> None:
    check("eager", device="cpu", capability=None)
    check("flex_attention")
    check("flash_attention_4")
    check("kernels-community/vllm-flash-attn3", training=False)
    check("sdpa", config=LLAMA, device="cpu", capability=None)
    check("flash_attention_2", config=LLAMA)


def test_flash_4_needs_its_gpu_even_where_it_is_installed(flash_4_installed: None) -> None:
    with pytest.raises(InputError, match="9.0 or higher"):
        check("flash_attention_4", capability=AMPERE)


def test_parts_and_experts_by_their_names() -> None:
    options = {"device": "cpu", "training": True}
    with pytest.raises(InputError, match="says nothing of vision_config. Write vision_config: sdpa"):
        kernels.check(GPT, attention={"text_config": "eager"}, experts=None, **options)
    with pytest.raises(InputError, match="attention of 'txt_config'.*Did you mean 'text_config'"):
        kernels.check(GPT, attention={"txt_config": "eager"}, experts=None, **options)
    both = {"text_config": "eager", "vision_config": "sdpa"}
    with pytest.raises(InputError, match="experts 'groupedmm'.*Did you mean 'grouped_mm'"):
        kernels.check(GPT, attention=both, experts="groupedmm", **options)


def test_auto(flash_4_installed: None) -> None:
    choices = {
        (config.text_config.model_type, device, training, capability): kernels.choose(
            config, device, training=training, capability=capability
        )
        for config in (GPT, LLAMA)
        for device, training, capability in (
            ("cpu", True, None),
            ("cuda", True, HOPPER),
            ("cuda:1", False, HOPPER),
            ("cuda", False, AMPERE),
        )
    }
    text = {key: attention["text_config"] for key, (attention, _) in choices.items()}
    assert list(text.values()) == ["eager", "flex_attention", "flash_attention_4", "flex_attention", *["sdpa"] * 4]
    assert {attention["vision_config"] for attention, _ in choices.values()} == {"sdpa"}
    assert {(key[1], experts) for key, (_, experts) in choices.items()} == {
        ("cpu", "eager"),
        ("cuda", "grouped_mm"),
        ("cuda:1", "grouped_mm"),
    }


@pytest.mark.parametrize("config", [GPT, LLAMA])
@pytest.mark.parametrize("training", [True, False])
def test_what_auto_chooses_is_allowed(config: OslerConfig, training: bool) -> None:
    for device, capability in (("cpu", None), ("cuda", AMPERE), ("cuda", HOPPER)):
        attention, experts = kernels.choose(config, device, training=training, capability=capability)
        kernels.check(
            config, attention=attention, experts=experts, device=device, training=training, capability=capability
        )


def test_auto_is_settled_part_by_part_and_checked() -> None:
    def settle(text: str, experts: str | None, **options: Any) -> tuple[dict[str, str], str | None]:
        attention = {"text_config": text, "vision_config": "auto"}
        return kernels.settle(options.pop("config", GPT), attention=attention, experts=experts, **options)

    cpu, gpu = {"device": "cpu", "training": True}, {"device": "cuda", "training": True, "capability": HOPPER}
    assert settle("auto", "auto", **cpu) == ({"text_config": "eager", "vision_config": "sdpa"}, "eager")
    assert settle("auto", "auto", **gpu)[0]["text_config"] == "flex_attention"
    assert settle("auto", "auto", config=LLAMA, **gpu)[0]["text_config"] == "sdpa"
    assert settle("eager", None, **gpu) == ({"text_config": "eager", "vision_config": "sdpa"}, None)
    assert settle("auto", "eager", **gpu)[1] == "eager" and settle("eager", "auto", **gpu)[1] == "grouped_mm"
    with pytest.raises(InputError, match="'sdpa' for text_config: .* no sinks. Use eager"):
        settle("sdpa", "auto", **cpu)
    with pytest.raises(InputError, match="says nothing of vision_config"):
        kernels.settle(GPT, attention={"text_config": "auto"}, experts=None, **cpu)
    with pytest.raises(InputError, match="attention of 'txt_config'"):
        kernels.settle(GPT, attention={"txt_config": "auto"}, experts=None, **cpu)
