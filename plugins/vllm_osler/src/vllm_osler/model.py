"""The composition as a vLLM model: vLLM's InternS1 class with our tower, projector and pixels.

Written against vLLM 0.33. InternS1 brings the batching of tiles, the merging of embeddings, pipeline stages and
vLLM's own GPT-oss as the language model.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from vllm.model_executor.models.interns1 import InternS1ForConditionalGeneration
from vllm.model_executor.models.utils import AutoWeightsLoader, WeightsMapper
from vllm.multimodal import MULTIMODAL_REGISTRY

from vllm_osler.config import name_arguments, projector_arguments, tower_arguments
from vllm_osler.names import PREFIXES, checked, expected_names
from vllm_osler.processing import IMAGE, OslerDummyInputs, OslerMultiModalProcessor, OslerProcessingInfo
from vllm_osler.tower import ClipTower
from vllm_osler.vision import Projector, image_features


@MULTIMODAL_REGISTRY.register_processor(
    OslerMultiModalProcessor, info=OslerProcessingInfo, dummy_inputs=OslerDummyInputs
)
class OslerGptOssForConditionalGeneration(InternS1ForConditionalGeneration):
    """CLIP tower, pixel unshuffle, projector, GPT-oss."""

    hf_to_vllm_mapper = WeightsMapper(orig_to_new_prefix=PREFIXES)

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:
        """What stands for a picture in a prompt that is plain text."""
        if modality.startswith("image"):
            return IMAGE
        raise ValueError(f"{modality} is not supported; pictures are")

    def _init_vision_model(self, config: Any, quant_config: Any, *, prefix: str) -> nn.Module:
        return ClipTower(**tower_arguments(config))

    def _init_mlp1(self, config: Any) -> nn.Module:
        return Projector(**projector_arguments(config))

    def extract_feature(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """uint8 tiles [B, 3, H, W] to embeddings [B, M, E]."""
        return image_features(
            pixel_values,
            tower=self.vision_tower,
            projector=self.multi_modal_projector,
            downsample_ratio=self.config.downsample_ratio,
            mean=self.config.image_mean,
            std=self.config.image_std,
        )

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        """Load the export's tensors; one that is missing or not known is an error."""
        expected = expected_names(**name_arguments(self.config))
        return AutoWeightsLoader(self).load_weights(checked(weights, expected), mapper=self.hf_to_vllm_mapper)
