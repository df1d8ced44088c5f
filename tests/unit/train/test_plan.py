"""`osler train --plan`: the published run's memory, speed and hours; measured sizes; refusals with their remedies."""

import copy
import dataclasses
from types import SimpleNamespace

import pytest
import torch

from osler.core.errors import InputError
from osler.core.log import Log
from osler.train import plan as planning
from osler.train.flops import causal_pairs, flops_per_step, passes, shape_of
from osler.train.gpus import GIB, GPUS, gpu, gpu_of_device
from osler.train.memory import GpuLoad, Layout, activations, logits, memory
from osler.train.plan import PlanConfig, check_device, implied_mfu, make_plan, parse, refuse_too_little, without_plan
from osler.train.plan_lines import plan_lines
from osler.train.work import count_parts, with_adapters
from plan_models import MIXES, published_config

# Published: samples, hours on 8 B200; MFU in percent that each mix of MIXES implies.
STAGES = {
    0: (939_000, 8 + 27 / 60, False, (0.94, 3.44, 5.85, 8.15, 11.60, 18.29, 2.01)),
    1: (19_000_000, 240 + 24 / 60, True, (0.93, 3.32, 5.60, 7.77, 11.09, 17.67, 2.14)),
    2: (7_000_000, 86 + 26 / 60, True, (0.95, 3.40, 5.74, 7.96, 11.37, 18.11, 2.20)),
}
B200_NODE = {"gpu": "b200", "num_gpus": 8, "tokens_per_sample": 1598, "tiles_per_sample": 9}
RATES = {"vision_lr": 1e-5, "projector_lr": 1e-5, "lm_lr": 1e-5}


def recipe(**changes):
    return {
        "stage": "instruct", "model": {"family": "tiny"}, "data": [], "schedule": {"steps": 10},
        "pack": {"row_tokens": 1024, "rows_per_step": 8},
        "plan": {"tokens_per_sample": 100, "tiles_per_sample": 1}, **changes,
    }  # fmt: skip


@pytest.fixture
def published(monkeypatch):
    """Plans of the published composition, with an engine and checkpointing as its recipes state them."""
    monkeypatch.setattr(planning, "composition", lambda start: published_config())

    def made(engine="zero3", *, checkpointing=True, rates=RATES, pack=None, **plan):
        model = {"family": "tiny", "attention": {"text_config": "flex_attention"}}
        pack = pack or {"row_tokens": 32768, "rows_per_step": 8}
        config, stated = parse(recipe(plan={**B200_NODE, **plan}, model=model, pack=pack, **rates))
        fields = {name: getattr(config, name) for name in type(config).model_fields}
        schedule = {**fields["schedule"].model_dump(), "checkpointing": "full" if checkpointing else "none"}
        fields |= {"parallel": SimpleNamespace(engine=engine), "schedule": SimpleNamespace(**schedule)}
        return make_plan(SimpleNamespace(**fields), stated)

    return made


@pytest.mark.parametrize("stage", STAGES)
def test_the_published_wall_clock_implies_these_utilisations(stage):
    samples, hours, lm, percents = STAGES[stage]
    shape, passed = shape_of(published_config()), passes(vision=True, projector=True, lm=lm)
    for (tiles, tokens), percent in zip(MIXES.values(), percents, strict=True):
        flops = flops_per_step(shape, tokens, tiles, passed=passed, pairs=causal_pairs([tokens], shape.window))
        found = implied_mfu(flops, samples=samples, hours=hours, num_gpus=8, machine=gpu("b200"))
        assert 100 * found == pytest.approx(percent, rel=0.01)


def test_the_published_hours_come_back(published):
    stage_1 = published(samples=19_000_000, mfu=0.0560)
    assert stage_1.speed.hours == pytest.approx(240.4, rel=0.01)
    assert stage_1.speed.tokens_per_s / 8 == pytest.approx(4385, rel=0.02)
    assert published(samples=19_000_000, mfu=0.2).speed.hours == pytest.approx(67.3, rel=0.01)
    stage_0 = published(samples=939_000, mfu=0.0585, rates={**RATES, "lm_lr": None})
    assert stage_0.speed.hours == pytest.approx(8.45, rel=0.01)


def test_the_published_memory(published):
    """340 GB of state over 8 GPUs; 13.2 and 26.4 GB of logits for a row of 32k; 137 GB of scores in one eager layer."""
    found = published().work
    state = found.memory.weights + found.memory.gradients + found.memory.optimizer
    assert 8 * state == pytest.approx(340e9, rel=0.01)
    assert {part.name: part.parameters for part in found.parts} == {
        "vision": 303_507_456,
        "projector": 20_104_832,
        "lm": 20_914_757_184,
    }
    assert found.parts[0].trained == 303_507_456 - 2048, "the norm behind the last layer serves nothing"
    config = published_config()
    assert logits(config, 32768) == pytest.approx((13.2 + 26.4 + 26.4) * 1e9, rel=0.01)
    layouts = [Layout("none", 1, "mixed", True, eager) for eager in (True, False)]
    with_scores, without = (
        activations(config, GpuLoad(1, 32768, 0, 1), layout=layout, tower_learns=False) for layout in layouts
    )
    assert 3 * 137e9 < with_scores - without < 3.2 * 137e9, "the weights, and the scores before and after the mask"


def test_what_each_engine_and_dtype_keeps(published):
    config = published_config()
    parts, block = count_parts(config, rates=RATES)
    total, trained = sum(p.parameters for p in parts), sum(p.trained for p in parts)

    def of(engine, num_gpus, dtype):
        layout = Layout(engine, num_gpus, dtype, True, False)
        return memory(config, parts, layout=layout, load=GpuLoad(1, 1024, 1, 100), largest_block=block)

    for dtype, sizes in {"mixed": (2, 2, 12), "float32": (4, 4, 8), "bfloat16": (2, 2, 4)}.items():
        one = of("none", 1, dtype)
        assert (one.weights, one.gradients, one.optimizer) == (sizes[0] * total, sizes[1] * trained, sizes[2] * trained)
        assert one.gathered == (2 * trained if dtype == "float32" else 0), "casts to bfloat16"
        whole = of("ddp", 8, dtype)
        assert whole.weights == one.weights and whole.gathered == one.gathered + one.gradients
        for engine in ("zero3", "fsdp2"):
            assert of(engine, 8, dtype).optimizer == one.optimizer / 8
            assert of(engine, 8, dtype).gathered == 6 * block
    assert 0.8e9 < block < 0.9e9


def test_frozen_parts_and_adapters_have_no_state(published):
    frozen = published(rates={**RATES, "lm_lr": None, "vision_lr": None}).work
    assert [part.trained for part in frozen.parts] == [0, 20_104_832, 0]
    assert frozen.activations(checkpointing=True) < published().work.activations(checkpointing=True)
    adapted = with_adapters(published().work, 8, ("q_proj", "o_proj"))
    assert adapted.parts[2].trained == 24 * 8 * 2 * (2880 + 4096)
    assert adapted.trained_weights == {"vision": True, "projector": True, "lm": False}
    with pytest.raises(InputError, match="adapts no layer"):
        with_adapters(published().work, 8, ("nothing",))


def test_activations_are_what_autograd_keeps(built):
    """Bytes of the tensors saved for the backward pass, within a quarter; the estimate is the larger."""
    model = copy.deepcopy(built[0]).to(torch.bfloat16)
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    length, tiles = 64, 1
    ids = torch.full((1, length), 5)
    zeros, labels = torch.zeros_like(ids), torch.full((1, length), -100)
    labels[0, -1] = 3
    row = {"position_ids": torch.arange(length)[None], "document_ids": zeros, "branch_ids": zeros, "labels": labels}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept_alive = [
            model(ids, **row, use_cache=False),
            model.get_image_features(torch.zeros(tiles, 3, 96, 96, dtype=torch.uint8)),
        ]
    measured = sum(size for size, _ in kept.values())
    layout, load = Layout("none", 1, "bfloat16", False, True), GpuLoad(1, length, tiles, 1)
    estimate = activations(model.config, load, layout=layout, tower_learns=True)
    assert len(kept_alive) == 2 and 0.75 * estimate < measured < estimate
    checkpointed = dataclasses.replace(layout, checkpointing=True)
    assert activations(model.config, load, layout=checkpointed, tower_learns=True) < 0.6 * estimate


def test_samples_and_steps_follow_from_the_rows():
    found = make_plan(*parse(recipe(plan={"tokens_per_sample": 64, "tiles_per_sample": 1})))
    assert (found.samples, found.steps) == (10 * 8 * 1024 // 64, 10)
    stated = make_plan(*parse(recipe(plan={"tokens_per_sample": 64, "tiles_per_sample": 1, "samples": 10_000})))
    assert (stated.samples, stated.steps) == (10_000, 79)
    assert stated.speed is None and "name a GPU" in plan_lines(stated)


def test_sizes_are_measured_where_the_data_is(store_folder):
    """12 records of 5 questions under one picture of one tile, 4 of one question without; means by hand."""
    data = [{"shards": str(store_folder)}]
    found = make_plan(*parse(recipe(data=data, plan={})))
    records, pictured, questions = 16, 12, 12 * 5 + 4
    assert found.tiles_per_sample == pytest.approx(pictured / questions)
    assert found.tokens_per_sample > (30 * records + 36 * pictured) / questions
    blind = make_plan(*parse(recipe(data=[{**data[0], "withhold_images": True}], plan={})))
    assert blind.tiles_per_sample == 0
    assert blind.tokens_per_sample == pytest.approx(found.tokens_per_sample - 36 * pictured / questions)
    stated = make_plan(*parse(recipe(data=data, plan={"tokens_per_sample": 500})))
    assert stated.tokens_per_sample == 500 and stated.tiles_per_sample == found.tiles_per_sample


def test_too_little_memory_says_how_much_and_what_helps(published):
    fits = published(mfu=0.25)
    refuse_too_little(fits)
    plain = published(checkpointing=False)
    with pytest.raises(InputError, match=r"GiB too much; expected at most 167\.6 GiB, 94% of one b200") as error:
        refuse_too_little(plain)
    assert str(error.value).endswith(". Enough would be schedule.checkpointing=full.")
    one = {"engine": "none", "num_gpus": 1, "pack": {"row_tokens": 8192, "rows_per_step": 1}}
    with pytest.raises(InputError, match=r"too little memory.*Enough would be parallel\.engine=fsdp2 on 8 GPUs"):
        refuse_too_little(published(gpu="h100", **one))
    with pytest.raises(InputError, match=r"; or model\.lora of rank 8\."):
        refuse_too_little(published(gpu="h100", dtype="mixed", **one))
    hopeless = published(gpu="rtx-4090", **one)
    with pytest.raises(InputError, match=r"on 32 GPUs|Take larger"):
        refuse_too_little(hopeless)


def test_a_run_is_stopped_by_what_is_certain_and_warned_of_what_is_estimated(store_folder, capsys):
    config, _ = parse(recipe(data=[{"shards": str(store_folder)}]))
    state = make_plan(config, PlanConfig()).work.memory.state

    def check(memory_bytes):
        check_device(config, "NVIDIA H200", memory_bytes, num_gpus=1, log=Log(quiet=True))
        return capsys.readouterr().err

    with pytest.raises(InputError, match=r"too little memory by the plan.*94% of one NVIDIA H200"):
        check(int(state))
    assert "by the plan a step needs 0." in check(int(2 * state))
    assert check(140 * GIB) == ""


def test_a_remedy_that_is_named_is_enough(published):
    short = published(checkpointing=False)
    assert short.work.memory.total > 0.94 * short.gpu.memory_bytes
    assert published(checkpointing=True).work.memory.total < 0.94 * short.gpu.memory_bytes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan": {"gpu": "h300"}}, "unknown GPU 'h300'.*Did you mean 'h200'"),
        ({"plan": {"num_gpu": 2}}, "plan: unknown key 'num_gpu'.*Did you mean 'num_gpus'"),
        ({"plan": {"mfu": 25}}, "mfu.*less than or equal to 1"),
        ({"plan": {"num_gpus": 3}}, r"8 rows a step do not divide among 3 GPUs.*rows_per_step=9"),
        ({"plan": {"num_gpus": 2}}, "engine none uses one GPU, not 2.*fsdp2"),
        ({"plan": {"tiles_per_sample": 5}}, "5 tiles alone are 180 tokens"),
        ({"plan": {"tokens_per_sample": None}}, "no data to measure.*State plan.tokens_per_sample"),
        ({"data": [{"shards": "nowhere"}], "plan": {"tokens_per_sample": None}}, "measure samples on .nowhere."),
        ({"model": {"family": "tinny"}}, "unknown model family 'tinny'.*Did you mean 'tiny'"),
        ({"model": {}}, "either 'folder' or 'family'"),
        ({"model": {"folder": "nowhere"}}, "model.folder nowhere is not there.*plan.family=NAME"),
        ({"model": {"folder": "nowhere"}, "plan": {"family": "tinny"}}, "Did you mean 'tiny'"),
    ],
)
def test_wrong_plans_are_refused(changes, said):
    wrong = recipe(**{key: value for key, value in changes.items() if key != "plan"})
    wrong["plan"] = {**wrong["plan"], **changes.get("plan", {})}
    with pytest.raises(InputError, match="(?s)" + said):
        make_plan(*parse(wrong))


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"stage": "aline"}, "Did you mean 'align'"), ({"stage": "warm_tower"}, "trains no language model")],
)
def test_stages_without_a_plan_are_refused(changes, said):
    with pytest.raises(InputError, match=said):
        parse(recipe(**changes))
    with pytest.raises(InputError, match="'stage' is missing"):
        parse({"plan": {}})


def test_a_run_does_not_see_the_plan():
    assert "plan" not in without_plan(recipe()) and without_plan(recipe())["stage"] == "instruct"


def test_a_model_folder_is_planned_like_its_family(built, tmp_path):
    model, _ = built
    model.config.save_pretrained(tmp_path)
    found = make_plan(*parse(recipe(model={"folder": str(tmp_path)})))
    assert sum(part.parameters for part in found.work.parts) == sum(each.numel() for each in model.parameters())
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match="no Osler model"):
        make_plan(*parse(recipe(model={"folder": str(tmp_path)})))


def test_the_lines_hold_every_figure(published):
    lines = plan_lines(published(samples=19_000_000, mfu=0.056))
    for words in (
        "21,238,369,472", "21,238,367,424", "8 GPUs (engine zero3, mixed, 1 row of 32,768 tokens, 185 tiles)",
        "activations with checkpointing", "<- this recipe", "label positions in chunks", "19,000,000",
        "NVIDIA HGX B200 data sheet", "tokens/s", "240.",
    ):  # fmt: skip
        assert words in lines, words


def test_gpus_are_known_by_their_driver_names():
    names = {
        "NVIDIA H200": "h200", "NVIDIA H100 80GB HBM3": "h100", "NVIDIA H100 PCIe": "h100-pcie",
        "NVIDIA A100-SXM4-80GB": "a100-80", "NVIDIA A100-SXM4-40GB": "a100-40", "NVIDIA B200": "b200",
        "NVIDIA GeForce RTX 4090": "rtx-4090", "NVIDIA RTX A6000": "rtx-a6000",
    }  # fmt: skip
    for device, name in names.items():
        assert gpu_of_device(device).name == name
    assert gpu_of_device("Tesla T4") is None
    assert gpu("H100_PCIe").peak_flops == 756e12
    assert all(each.source and each.memory_bytes > 20 * GIB for each in GPUS)


def test_the_dtype_is_the_engines_own_unless_stated(published):
    assert published("zero3").work.layout.dtype == "mixed"
    assert published("fsdp2").work.layout.dtype == "float32"
    assert published("fsdp2", dtype="bfloat16").work.layout.dtype == "bfloat16"


def test_a_family_stands_in_for_a_folder_that_is_not_there_yet(built, tmp_path):
    stated = {**recipe()["plan"], "family": "tiny"}
    found = make_plan(*parse(recipe(model={"folder": str(tmp_path / "later")}, plan=stated)))
    family = make_plan(*parse(recipe()))
    assert found.work.parts == family.work.parts and family.stand_in is None
    said = f"model: family tiny, as {tmp_path / 'later'} is not there yet"
    assert plan_lines(found).startswith(said) and "not there yet" not in plan_lines(family)
    model, _ = built
    model.config.save_pretrained(tmp_path)
    there = make_plan(*parse(recipe(model={"folder": str(tmp_path)}, plan={**stated, "family": "medgpt_oss_20b"})))
    assert there.stand_in is None, "the folder goes before the family"
    assert sum(part.parameters for part in there.work.parts) == sum(each.numel() for each in model.parameters())


def test_auto_never_builds_the_scores_on_a_gpu():
    auto, eager = (
        make_plan(*parse(recipe(model={"family": "tiny", "attention": attention}))).work.layout.eager
        for attention in ("auto", {"text_config": "eager", "vision_config": "sdpa"})
    )
    assert (auto, eager) == (False, True)
