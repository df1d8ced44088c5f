"""Fine-tuning of an encoder with a linear head, the same way for every encoder.

The head begins at 0. The order of the images and their augmentation are drawn by seed, set and epoch, not by encoder,
so that every encoder sees the same images at the same step.

Axes: B images, C H W pixels, D features, K classes.
"""

import copy
import math
import re
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.transfer.features import normalised
from osler.transfer.probe import Answers, Draw, Part, unlearned

_LAYER = re.compile(r"(?:^|\.)(?:layers?|blocks|resblocks|stages|h)\.(\d+)\.")
_LEAST = 1e-15


def fine_tuned(draw: Draw, settings: dict[str, Any]) -> Answers:
    """Probabilities of the test items by the learning rate with the least validation loss.

    Args:
        draw: with a tower.
        settings: the fields of `FineTuneConfig`.
    """
    if draw.tower is None:
        raise InputError("fine-tuning needs an encoder, and the draw has none")
    tuned = draw.tower()
    best: tuple[float, float, np.ndarray] | None = None
    losses = {}
    for rate in settings["learning_rates"]:
        model = _trained(draw, tuned, settings, rate)
        loss = _log_loss(draw, draw.validation, _probabilities(model, draw.validation, tuned, draw))
        losses[f"{rate:g}"] = loss
        if best is None or loss < best[0]:
            best = (loss, rate, _probabilities(model, draw.test, tuned, draw))
    if best is None:
        raise InputError("fine-tuning needs a learning rate", expected="protocol.fine_tune.learning_rates")
    facts = {"learning_rate": best[1], "validation_loss": losses, **unlearned(draw, draw.train.targets)}
    return Answers(best[2], facts)


def _trained(draw: Draw, tuned: Any, settings: dict[str, Any], rate: float) -> nn.Module:
    loaded, device, num_items = tuned.loaded, tuned.device, len(draw.train.rows)
    with torch.random.fork_rng(devices=[] if device == "cpu" else None):
        torch.manual_seed(draw.seed)
        model = nn.Sequential(
            copy.deepcopy(loaded.tower), nn.LayerNorm(loaded.width), nn.Linear(loaded.width, draw.num_classes)
        )
        nn.init.zeros_(model[2].weight)
        nn.init.zeros_(model[2].bias)
        model.to(device).train().requires_grad_(True)
        groups = parameter_groups(
            model, rate=rate, decay=settings["layer_decay"], weight_decay=settings["weight_decay"]
        )
        optimizer = torch.optim.AdamW(groups, betas=tuple(settings["betas"]))
        steps = math.ceil(num_items / settings["batch_size"]) * settings["epochs"]
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate_at(steps, settings["warmup_share"]))
        for epoch in range(settings["epochs"]):
            random = generator(draw.seed, "fine_tune", draw.set_name, epoch)
            order = random.permutation(num_items)
            for start in range(0, len(order), settings["batch_size"]):
                rows = order[start : start + settings["batch_size"]]
                _step(model, optimizer, draw, tuned, rows, random=random, settings=settings)
                schedule.step()
    return model.eval()


def _step(
    model: nn.Module,
    optimizer: Any,
    draw: Draw,
    tuned: Any,
    rows: np.ndarray,
    *,
    random: np.random.Generator,
    settings: dict[str, Any],
) -> None:
    device, pixels = tuned.device, tuned.pixels(draw.train.rows[rows])
    shown_BCHW = augmented(torch.from_numpy(pixels).to(device), random, settings["augment"])
    mean, std = _scales(tuned)
    scores_BK = model((shown_BCHW - mean) / std)
    truth = torch.from_numpy(draw.train.targets[rows]).to(device)
    smoothing = settings["label_smoothing"]
    if draw.is_multi_label:
        wanted = truth.float() * (1 - smoothing) + smoothing / 2
        loss = F.binary_cross_entropy_with_logits(scores_BK, wanted)
    else:
        loss = F.cross_entropy(scores_BK, truth, label_smoothing=smoothing)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), settings["max_grad_norm"])
    optimizer.step()


def augmented(pixels_BHWC: torch.Tensor, random: np.random.Generator, settings: dict[str, Any]) -> torch.Tensor:
    """uint8 pixels mirrored, cut, turned and made brighter or darker at random: float32 [B, 3, H, W] on a 0-1 scale.

    One affine map and one linear change of brightness an image; what lies outside of the picture is black.
    """
    num = len(pixels_BHWC)
    scale = np.sqrt(random.uniform(settings["min_area"], 1, size=num))
    shift = random.uniform(-1, 1, size=(num, 2)) * (1 - scale)[:, None]
    turn = np.deg2rad(random.uniform(-1, 1, size=num) * settings["max_turn_deg"])
    mirror = np.where(random.random(num) < settings["flip_share"], -1.0, 1.0)
    contrast = 1 + random.uniform(-1, 1, size=num) * settings["max_contrast"]
    bright = random.uniform(-1, 1, size=num) * settings["max_brightness"]
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    rows = np.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], axis=1)
    affine = torch.from_numpy(rows.reshape(num, 2, 3)).to(pixels_BHWC.device, torch.float32)
    pixels_BCHW = pixels_BHWC.permute(0, 3, 1, 2).float() / 255
    grid = F.affine_grid(affine, list(pixels_BCHW.shape), align_corners=False)
    moved = F.grid_sample(pixels_BCHW, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    factor, term = (
        torch.from_numpy(each).to(moved.device, torch.float32).view(num, 1, 1, 1) for each in (contrast, bright)
    )
    return ((moved - 0.5) * factor + 0.5 + term).clamp(0, 1)


def parameter_groups(model: nn.Module, *, rate: float, decay: float, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters by depth: the head at `rate`, each layer below at `decay` times the rate above it.

    A parameter's depth is the number after `layers.`, `blocks.` and their like in its name; what comes before any is
    the lowest. Biases and scales of one dimension have no weight decay.
    """
    tower = [name for name, _ in model.named_parameters() if name.startswith("0.")]
    numbers = [int(found[1]) for name in tower if (found := _LAYER.search(name))]
    last = max(numbers, default=-1) + 1
    seen_layer = False
    groups: dict[tuple[int, bool], list[Any]] = {}
    for name, parameter in model.named_parameters():
        found = _LAYER.search(name)
        if not name.startswith("0."):
            depth = last + 1
        elif found:
            seen_layer, depth = True, int(found[1]) + 1
        else:
            depth = last + 1 if seen_layer else 0
        groups.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": rate * decay ** (last + 1 - depth),
            "weight_decay": weight_decay if is_matrix else 0.0,
        }
        for (depth, is_matrix), parameters in groups.items()
    ]


def _rate_at(steps: int, warmup_share: float) -> Any:
    warmup = max(1, round(steps * warmup_share))

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    return share


def _probabilities(model: nn.Module, part: Part, tuned: Any, draw: Draw) -> np.ndarray:
    rows = []
    mean, std = _scales(tuned)
    for start in range(0, len(part.rows), tuned.batch_size):
        pixels = tuned.pixels(part.rows[start : start + tuned.batch_size])
        with torch.inference_mode():
            scores = model(normalised(torch.from_numpy(pixels).to(mean.device), mean, std)).double()
            given = torch.sigmoid(scores) if draw.is_multi_label else torch.softmax(scores, dim=-1)
            rows.append(given.cpu().numpy())
    return np.concatenate(rows) if rows else np.zeros((0, draw.num_classes))


def _scales(tuned: Any) -> tuple[torch.Tensor, torch.Tensor]:
    mean, std = (
        torch.tensor(each, device=tuned.device).view(1, 3, 1, 1) for each in (tuned.loaded.mean, tuned.loaded.std)
    )
    return mean, std


def _log_loss(draw: Draw, part: Part, given: np.ndarray) -> float:
    if not len(part.targets):
        return 0.0
    given = np.clip(given, _LEAST, 1 - _LEAST)
    if draw.is_multi_label:
        return float(-np.where(part.targets, np.log(given), np.log(1 - given)).mean())
    return float(-np.log(given[np.arange(len(given)), part.targets]).mean())
