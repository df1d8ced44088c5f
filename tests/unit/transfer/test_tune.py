import numpy as np
import pytest
import torch
from torch import nn

from osler.core.rng import generator
from osler.transfer.probe import Draw, Part
from osler.transfer.probes.fine_tune import AugmentConfig, FineTuneConfig, probe
from osler.transfer.tune import augmented, parameter_groups
from osler.transfer.units import Tuned

STILL = AugmentConfig(flip_share=0, min_area=1, max_turn_deg=0, max_brightness=0, max_contrast=0)


class Loaded:
    """An encoder of 8 px: a layer on flattened pixels."""

    width, image_size, mean, std = 6, 8, (0.5,) * 3, (0.5,) * 3

    def __init__(self):
        torch.manual_seed(0)
        self.tower = nn.Sequential(nn.Flatten(), nn.Linear(192, 6), nn.Tanh())


def drawn(*, multi: bool = False, n: int = 60) -> Draw:
    random = np.random.default_rng(0)
    gold = np.arange(n) % 2
    pixels = (random.integers(0, 60, size=(n, 8, 8, 3)) + 120 * gold[:, None, None, None]).astype(np.uint8)
    loaded = Loaded()
    tuned = Tuned(loaded, lambda rows: pixels[rows], 16, "cpu")
    targets = np.stack([gold, 1 - gold], axis=1).astype(bool) if multi else gold
    empty = np.zeros((0, 6), np.float32)

    def part(start, stop):
        rows = np.arange(start, stop)
        return Part(empty, targets[rows], rows)

    return Draw(
        set_name="drawn", num_classes=2, is_multi_label=multi, seed=0,
        train=part(0, 30), validation=part(30, 40), test=Part(empty, targets[:0], np.arange(40, n)),
        tower=lambda: tuned,
    )  # fmt: skip


def test_it_learns_what_tells_the_classes_apart_and_repeats_itself():
    options = FineTuneConfig(epochs=10, learning_rates=(1e-6, 1e-2))
    draw = drawn()
    given = probe(draw, options)[""]
    assert given.facts["learning_rate"] == 1e-2 and set(given.facts["validation_loss"]) == {"1e-06", "0.01"}
    assert given.probabilities.argmax(axis=1).tolist() == (np.arange(40, 60) % 2).tolist()
    assert (probe(draw, options)[""].probabilities == given.probabilities).all()


def test_the_encoder_keeps_its_weights():
    draw = drawn()
    tower = draw.tower().loaded.tower
    before = [each.clone() for each in tower.parameters()]
    probe(draw, FineTuneConfig(epochs=2, learning_rates=(1e-2,)))
    assert all(torch.equal(*pair) for pair in zip(before, tower.parameters(), strict=True))


def test_several_labels_are_learned_each_by_itself():
    given = probe(drawn(multi=True), FineTuneConfig(epochs=10, learning_rates=(1e-2,)))[""]
    assert ((given.probabilities >= 0.5)[:, 0] == (np.arange(40, 60) % 2 == 1)).all()
    assert given.probabilities.shape == (20, 2)


def test_augmentation_is_drawn_and_none_leaves_the_picture():
    pixels = torch.randint(0, 256, (3, 16, 16, 3), dtype=torch.uint8)
    plain = pixels.permute(0, 3, 1, 2).float() / 255
    still = augmented(pixels, np.random.default_rng(0), STILL.model_dump())
    assert torch.allclose(still, plain, atol=1e-5)
    mirror = augmented(pixels, np.random.default_rng(0), {**STILL.model_dump(), "flip_share": 1.0})
    assert torch.allclose(mirror, plain.flip(-1), atol=1e-5)
    one, again = (augmented(pixels, generator(0, "x"), AugmentConfig().model_dump()) for _ in range(2))
    assert torch.equal(one, again) and not torch.allclose(one, plain, atol=1e-2)
    assert one.min() >= 0 and one.max() <= 1


def test_lower_layers_learn_more_slowly_and_biases_do_not_decay():
    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(2, 2)
            self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
            self.norm = nn.LayerNorm(2)

    model = nn.Sequential(Tower(), nn.LayerNorm(2), nn.Linear(2, 2))
    groups = parameter_groups(model, rate=1.0, decay=0.5, weight_decay=0.1)
    rates = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    tower = model[0]
    assert rates[id(model[2].weight)] == (1.0, 0.1) and rates[id(model[2].bias)] == (1.0, 0.0)
    assert rates[id(tower.norm.weight)] == (1.0, 0.0)
    assert rates[id(tower.layers[1].weight)][0] == pytest.approx(0.5)
    assert rates[id(tower.layers[0].weight)][0] == pytest.approx(0.25)
    assert rates[id(tower.embed.weight)][0] == pytest.approx(0.125)
    assert len(rates) == len(list(model.parameters()))
