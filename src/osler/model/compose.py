"""Vision tower + projector + causal language model as one transformers model.

Axes: B rows, T tokens, D text channels, N tiles, C H W pixels, M image tokens a tile, L label positions, V vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText, GenerationMixin
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.internvl.modeling_internvl import (
    InternVLCausalLMOutputWithPast,
    InternVLModelOutputWithPast,
    InternVLPreTrainedModel,
)

from osler.model.attention import packed_attention
from osler.model.config import OslerConfig
from osler.model.projector import Projector, pixel_unshuffle

IGNORED_LABEL = -100
# Logits held at once while the loss is taken: 0.5 GiB in float32, 667 positions of GPT-oss's vocabulary.
_CHUNK_LOGITS = 2**27


@dataclass
class OslerModelOutput(InternVLModelOutputWithPast):
    """Adds the routers' scores, without which a mixture of experts is trained with no balancing loss."""

    router_logits: tuple[torch.Tensor, ...] | None = None


@dataclass
class OslerCausalLMOutput(InternVLCausalLMOutputWithPast):
    """Adds what training looks at.

    aux_loss: the balancing loss, before its coefficient.
    token_losses: [L], detached, in the order of `labels[:, 1:] != IGNORED_LABEL`.
    router_load: [layers, experts] share of the tokens sent to each expert, detached.
    router_share: [layers, experts] mean probability of each expert.
    """

    aux_loss: torch.Tensor | None = None
    token_losses: torch.Tensor | None = None
    router_load: torch.Tensor | None = None
    router_share: torch.Tensor | None = None


class Head(nn.Linear):
    """Hidden states to logits; or, given targets, to each target's cross-entropy, a chunk of positions at a time.

    The chunks are taken inside one call, because a sharded weight is gathered once a call, and ranks whose rows
    hold unequal numbers of labels must gather equally often.
    """

    def forward(self, hidden: torch.Tensor, targets_L: torch.Tensor | None = None) -> torch.Tensor:
        """Logits [..., V] of hidden states [..., D]; with targets [L], the losses [L] of hidden states [L, D]."""
        if targets_L is None:
            return super().forward(hidden)
        size = max(1, _CHUNK_LOGITS // self.out_features)
        if len(targets_L) <= size:
            return self._losses(hidden, targets_L)
        chunks = zip(hidden.split(size), targets_L.split(size), strict=True)
        # Each chunk's logits are made again on the way back, so that no two chunks' are held.
        options = {"use_reentrant": False, "preserve_rng_state": False}
        return torch.cat([checkpoint(self._losses, *chunk, **options) for chunk in chunks])

    def _losses(self, hidden_LD: torch.Tensor, targets_L: torch.Tensor) -> torch.Tensor:
        logits_LV = super().forward(hidden_LD)
        return F.cross_entropy(logits_LV.float(), targets_L, reduction="none")


class OslerModel(InternVLPreTrainedModel):
    """Tower, projector and language model without its head."""

    config: OslerConfig

    def __init__(self, config: OslerConfig) -> None:
        super().__init__(config)
        self.vision_tower = AutoModel.from_config(config.vision_config)
        self.multi_modal_projector = Projector(
            config.vision_config.hidden_size * round(1 / config.downsample_ratio) ** 2,
            config.text_config.hidden_size,
            layer_norm=config.projector_layer_norm,
        )
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_image_features(self, pixel_values: torch.Tensor, **kwargs: Any) -> BaseModelOutputWithPooling:
        """Tiles [N, C, H, W] to language-model embeddings, `pooler_output` [N, M, D].

        uint8 tiles are scaled and normalised here, on the device; float tiles must be normalised already.
        """
        pixels = normalized(pixel_values, self.config)
        outputs = self.vision_tower(pixel_values=pixels.to(self.dtype), return_dict=True)
        patches = outputs.last_hidden_state
        if self.config.vision_feature_select_strategy == "default":
            patches = patches[:, 1:]  # the class token carries no place
        features = self.multi_modal_projector(pixel_unshuffle(patches, self.config.downsample_ratio))
        return BaseModelOutputWithPooling(last_hidden_state=outputs.last_hidden_state, pooler_output=features)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        *,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        document_ids: torch.Tensor | None = None,
        branch_ids: torch.Tensor | None = None,
        mm_encoder_outputs: dict[str, Any] | None = None,
        num_dummy_tiles: torch.Tensor | int = 0,
        **kwargs: Any,
    ) -> OslerModelOutput:
        """Hidden states [B, T, D].

        `mm_encoder_outputs` is how `generate` hands over images it has encoded once; a forward that ignored
        it would answer blind. `document_ids` and `branch_ids` describe packed rows: see `packed_masks`.
        The last `num_dummy_tiles` of `pixel_values` stand for no image token. They pass through the tower and add
        nothing, so that a process whose rows hold no image takes part in gathering the tower's sharded weights.
        """
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        features = self._image_embeddings(pixel_values, mm_encoder_outputs)
        if features is not None:
            num_real = len(features) - int(num_dummy_tiles)
            # The pretended use comes last: scattering into embeddings of a frozen model needs no gradient of them.
            inputs_embeds = self._place_images(input_ids, inputs_embeds, features[:num_real])
            if num_real < len(features):
                inputs_embeds = inputs_embeds + features[num_real:].sum().to(inputs_embeds) * 0
        if document_ids is not None:
            kwargs |= self._packed_attention(document_ids, branch_ids, position_ids, inputs_embeds)
        outputs = self.language_model(position_ids=position_ids, inputs_embeds=inputs_embeds, **kwargs)
        return OslerModelOutput(
            last_hidden_state=outputs.last_hidden_state,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            image_hidden_states=features,
            router_logits=getattr(outputs, "router_logits", None),
        )

    def _image_embeddings(
        self, pixel_values: torch.Tensor | None, mm_encoder_outputs: dict[str, Any] | None
    ) -> torch.Tensor | None:
        encoded = (mm_encoder_outputs or {}).get("image")
        if encoded is None and pixel_values is not None:
            encoded = self.get_image_features(pixel_values)
        return None if encoded is None else encoded.pooler_output

    def _place_images(
        self, input_ids: torch.Tensor | None, embeddings_BTD: torch.Tensor, features_NMD: torch.Tensor
    ) -> torch.Tensor:
        if input_ids is None:
            raise ValueError("images need input_ids: their places are the image tokens")
        places_BT1 = (input_ids == self.config.image_token_id).unsqueeze(-1)
        num_places, num_features = int(places_BT1.sum()), features_NMD.shape[0] * features_NMD.shape[1]
        if num_places != num_features:
            raise ValueError(f"{num_places} image tokens in the text, but the images give {num_features}")
        return embeddings_BTD.masked_scatter(places_BT1, features_NMD.to(embeddings_BTD))

    def _packed_attention(
        self,
        document_ids: torch.Tensor,
        branch_ids: torch.Tensor | None,
        position_ids: torch.Tensor | None,
        embeddings_BTD: torch.Tensor,
    ) -> dict[str, Any]:
        if branch_ids is None or position_ids is None:
            raise ValueError("packed rows need document_ids, branch_ids and position_ids together")
        text_config = self.config.text_config
        slides = "sliding_attention" in (getattr(text_config, "layer_types", None) or [])
        masks, segments = packed_attention(
            document_ids,
            branch_ids,
            position_ids,
            implementation=text_config._attn_implementation,
            dtype=embeddings_BTD.dtype,
            sliding_window=text_config.sliding_window if slides else None,
        )
        return {**segments, "attention_mask": masks if slides or masks is None else masks["full_attention"]}


def normalized(pixel_values: torch.Tensor, config: OslerConfig) -> torch.Tensor:
    """uint8 tiles [N, 3, H, W] scaled to 0-1, less the mean, over the deviation; float tiles as they are."""
    if pixel_values.dtype != torch.uint8:
        return pixel_values
    # Made anew each time: a buffer outside the state dict would be left unset when weights are loaded.
    mean, std = (
        torch.tensor(values, device=pixel_values.device).view(1, 3, 1, 1)
        for values in (config.image_mean, config.image_std)
    )
    return (pixel_values.float() / 255 - mean) / std


class OslerForConditionalGeneration(InternVLPreTrainedModel, GenerationMixin):
    """The composition with its language-model head."""

    config: OslerConfig
    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}

    def __init__(self, config: OslerConfig) -> None:
        super().__init__(config)
        self.model = OslerModel(config)
        self.lm_head = Head(config.text_config.hidden_size, config.text_config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        """The head."""
        return self.lm_head

    def get_image_features(self, pixel_values: torch.Tensor, **kwargs: Any) -> BaseModelOutputWithPooling:
        """See OslerModel.get_image_features; `generate` calls this once a prompt."""
        return self.model.get_image_features(pixel_values, **kwargs)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        *,
        labels: torch.Tensor | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        label_weights: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        mm_encoder_outputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> OslerCausalLMOutput:
        """Logits [B, T, V] without labels; with labels the loss alone.

        With labels the head runs on the label positions only, so a 32k row of a 200k vocabulary never
        builds its logits. The loss is the sum over labels divided by `num_items_in_batch` (labels of the
        whole global batch) or, where that is not given, by their own number. With `label_weights` [B, T] each
        label counts by its weight, and the divisor is the weights' sum.
        """
        # Named here although only passed on: `generate` looks for it in this signature.
        outputs = self.model(input_ids, pixel_values, mm_encoder_outputs=mm_encoder_outputs, **kwargs)
        hidden_BTD = outputs.last_hidden_state
        loss = logits = token_losses = aux_loss = load = share = None
        if labels is None:
            keep = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
            logits = self.lm_head(hidden_BTD[:, keep])
        else:
            loss, token_losses = self._label_loss(hidden_BTD, labels, label_weights, num_items_in_batch)
            if outputs.router_logits:
                load, share = self._router_use(outputs.router_logits, kwargs.get("document_ids"))
                aux_loss = balancing_loss(load, share)
        return OslerCausalLMOutput(
            loss=loss,
            logits=logits,
            aux_loss=aux_loss,
            token_losses=token_losses,
            router_load=load,
            router_share=share,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            image_hidden_states=outputs.image_hidden_states,
        )

    def _label_loss(
        self,
        hidden_BTD: torch.Tensor,
        labels_BT: torch.Tensor,
        weights_BT: torch.Tensor | None,
        num_items: torch.Tensor | int | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        targets_BT = labels_BT[:, 1:]
        scored_BT = targets_BT != IGNORED_LABEL
        losses_L = self.lm_head(hidden_BTD[:, :-1][scored_BT], targets_BT[scored_BT])
        if weights_BT is None:
            total, count, least = losses_L.sum(), scored_BT.sum(), 1.0
        else:
            weights_L = weights_BT[:, 1:][scored_BT]
            total, count, least = (losses_L * weights_L).sum(), weights_L.sum(), torch.finfo(torch.float32).tiny
        if num_items is not None:
            count = torch.as_tensor(num_items, device=total.device)
        return total / count.clamp(min=least), losses_L.detach()

    def _router_use(
        self, router_logits: tuple[torch.Tensor, ...], document_ids_BT: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        real = None if document_ids_BT is None else document_ids_BT.reshape(-1) >= 0
        return router_use(router_logits, self.config.text_config.num_experts_per_tok, real)


def router_use(
    router_logits: tuple[torch.Tensor, ...], experts_per_token: int, real: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """How the routers use the experts: `router_load` and `router_share` of OslerCausalLMOutput.

    Args:
        router_logits: per layer, scores [tokens, experts].
        experts_per_token: how many experts a token is sent to.
        real: [tokens] mask of the tokens that count; padding does not.
    """
    shares, loads = [], []
    for scores in router_logits:
        scores = scores if real is None else scores[real]
        probabilities = scores.float().softmax(-1)
        chosen = probabilities.topk(experts_per_token, dim=-1).indices
        loads.append(F.one_hot(chosen, scores.shape[-1]).float().sum(1).mean(0))
        shares.append(probabilities.mean(0))
    return torch.stack(loads), torch.stack(shares)


def balancing_loss(load_KE: torch.Tensor, share_KE: torch.Tensor) -> torch.Tensor:
    """Switch Transformer's load-balancing loss (arXiv 2101.03961, equations 4-6), 1.0 per chosen expert when balanced.

    Takes the load and the share of each of E experts in K layers; the gradient flows through the share.
    """
    return load_KE.shape[-1] * (load_KE.mean(0) * share_KE.mean(0)).sum()


def checkpoint_layers(model: OslerForConditionalGeneration) -> None:
    """Keep only the inputs of each layer of the tower and the language model; the rest is made again for gradients."""
    # transformers 5.23 renamed it and warns about the old name.
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def register() -> None:
    """Teach transformers' Auto classes this model. Idempotent."""
    AutoConfig.register(OslerConfig.model_type, OslerConfig, exist_ok=True)
    AutoModel.register(OslerConfig, OslerModel, exist_ok=True)
    AutoModelForImageTextToText.register(OslerConfig, OslerForConditionalGeneration, exist_ok=True)
    # TRL falls back to this one when it loads a reference model.
    AutoModelForCausalLM.register(OslerConfig, OslerForConditionalGeneration, exist_ok=True)
