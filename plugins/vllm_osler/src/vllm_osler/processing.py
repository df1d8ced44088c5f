"""A prompt with pictures to token ids and tiles, for vLLM.

Pictures are cut here, by the code that training uses; no Hugging Face processor takes part, so none has to be
installed, torchvision neither.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature
from vllm.multimodal.inputs import MultiModalFieldConfig
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
    PromptUpdateDetails,
)

from vllm_osler.config import OslerGptOssConfig
from vllm_osler.tiling import largest_size, tiles

IMAGE = "<|image|>"


class OslerProcessingInfo(BaseProcessingInfo):
    """What the model takes: any number of pictures, no options."""

    def get_hf_config(self) -> OslerGptOssConfig:
        """The export's configuration."""
        return self.ctx.get_hf_config(OslerGptOssConfig)

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        """Pictures without a limit of their own, nothing else."""
        return {"image": None}

    def get_supported_mm_processor_kwargs(self) -> dict[str, set[str]]:
        """None: how a picture is cut was fixed when the model was trained."""
        return {"text_kwargs": set(), "images_kwargs": set()}


class OslerDummyInputs(BaseDummyInputsBuilder[OslerProcessingInfo]):
    """Pictures of the most tiles, with which vLLM measures its memory."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        """One place for each picture."""
        return IMAGE * mm_counts.get("image", 0)

    def get_dummy_mm_data(self, seq_len: int, mm_counts: Mapping[str, int], mm_options: Any) -> dict[str, Any]:
        """White pictures."""
        width, height = largest_size(self.info.get_hf_config().tiling)
        count, overrides = mm_counts.get("image", 0), mm_options.get("image")
        return {"image": self._get_dummy_images(width=width, height=height, num_images=count, overrides=overrides)}


class OslerMultiModalProcessor(BaseMultiModalProcessor[OslerProcessingInfo]):
    """Cuts pictures and opens their places in the prompt."""

    def _call_hf_processor(self, hf_data: Mapping[str, Any], hf_kwargs: Mapping[str, object]) -> BatchFeature:
        config = self.info.get_hf_config()
        cut = [torch.from_numpy(tiles(_picture(each), config.tiling)) for each in hf_data["images"]]
        return BatchFeature(
            {
                "pixel_values": torch.cat(cut),
                "image_num_patches": torch.tensor([len(each) for each in cut]),
                "image_token_id": torch.tensor(config.image_token_id),
            }
        )

    def _get_mm_fields_config(
        self, hf_inputs: BatchFeature, hf_processor_mm_kwargs: Mapping[str, object]
    ) -> Mapping[str, MultiModalFieldConfig]:
        sizes = hf_inputs.get("image_num_patches", torch.empty(0, dtype=torch.long))
        return {
            "pixel_values": MultiModalFieldConfig.flat_from_sizes("image", sizes),
            "image_num_patches": MultiModalFieldConfig.batched("image", keep_on_cpu=True),
            "image_token_id": MultiModalFieldConfig.shared("image", len(sizes), keep_on_cpu=True),
        }

    def _get_prompt_updates(
        self, mm_items: Any, hf_processor_mm_kwargs: Mapping[str, object], out_mm_kwargs: Any
    ) -> Sequence[PromptReplacement]:
        config = self.info.get_hf_config()
        counts = out_mm_kwargs.get_data().get("image_num_patches", [])

        def opened(item: int) -> PromptUpdateDetails:
            run = [config.image_token_id] * (int(counts[item]) * config.image_seq_length)
            ids = [config.image_start_token_id, *run, config.image_end_token_id]
            return PromptUpdateDetails.select_token_id(ids, config.image_token_id)

        return [PromptReplacement(modality="image", target=[config.image_token_id], replacement=opened)]


def _picture(value: Any) -> Image.Image:
    """What was sent as a picture: one, or an array [H, W, 3] from a caller in the same process."""
    return value if isinstance(value, Image.Image) else Image.fromarray(np.asarray(value))
