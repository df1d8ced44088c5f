"""Recipes of `osler rl`, one class for each method."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from osler.core.config import Config
from osler.train.stage import DataConfig, ModelConfig, ScheduleConfig


class RolloutConfig(Config):
    """How replies are drawn.

    prompts_per_step: questions asked before each update.
    replies_per_prompt: replies to each, which are compared with one another.
    max_new_tokens: where a reply is cut.
    temperature: of the draw.
    row_tokens: replies to one question share its words and images in a row of at most so many tokens.
    """

    prompts_per_step: PositiveInt = 16
    replies_per_prompt: int = Field(8, ge=2)
    max_new_tokens: PositiveInt = 256
    temperature: PositiveFloat = 1.0
    row_tokens: PositiveInt = 8192


class LossConfig(Config):
    """The loss of GRPO (arXiv 2402.03300) and its variants, as TRL computes it.

    type: `dapo` takes the mean over tokens (arXiv 2503.14476), `grpo` over replies, `dr_grpo` divides by the room
        (arXiv 2503.20783).
    scale: divide what a reply is worth more than its group by the group's spread, the batch's, or by nothing.
    kl: weight of the divergence from the model that training began with; 0 keeps no copy of it.
    clip_low, clip_high: how far a token's probability may move between drawing and update, as a share.
    updates_per_rollout: how often the same replies are learned from.
    learn_from_truncated: whether replies that were cut take part.
    """

    type: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = "dapo"
    scale: Literal["group", "batch", "none"] = "group"
    kl: NonNegativeFloat = 0.01
    clip_low: PositiveFloat = 0.2
    clip_high: PositiveFloat = 0.28
    updates_per_rollout: PositiveInt = 1
    learn_from_truncated: bool = True


class AlarmsConfig(Config):
    """When a training is taken to have collapsed; a limit of null is not watched.

    min_entropy: nats a token.
    min_parse_share: of the share of replies that could be read at the start.
    max_length_ratio: of the mean length at the start; the inverse is the least.
    max_equal_groups: share of questions whose replies are all worth the same, from which nothing is learned.
    max_same_reply: share of one and the same reply among the replies to all questions of a step.
    max_kl: mean divergence from the start, nats a token.
    patience: entries of metrics.jsonl in a row before an alarm is raised.
    action: say so, or end the run with an error.
    """

    min_entropy: PositiveFloat | None = 1e-4
    min_parse_share: PositiveFloat | None = 0.8
    max_length_ratio: PositiveFloat | None = 4.0
    max_equal_groups: PositiveFloat | None = 0.98
    max_same_reply: PositiveFloat | None = 0.9
    max_kl: PositiveFloat | None = None
    patience: PositiveInt = 3
    action: Literal["warn", "stop"] = "warn"


class JudgedConfig(Config):
    """What methods hold that judge replies.

    data: the stores, as in `osler train`; the words of the answers are not learned.
    num_prompts: how many questions are drawn; the training goes through them again and again. null takes all.
    rewards: their weights, by name.
    metric_weights: folders of the models behind metrics of whole reports, as in `osler eval`.
    """

    seed: int = 0
    model: ModelConfig
    data: tuple[DataConfig, ...] = Field(min_length=1)
    num_prompts: PositiveInt | None = None
    rewards: dict[str, PositiveFloat] = Field(min_length=1)
    metric_weights: dict[str, Path] = {}
    rollout: RolloutConfig = RolloutConfig()


class GrpoConfig(JudgedConfig):
    """Group-relative policy optimisation: replies worth more than the others to the same question are made likelier."""

    method: Literal["grpo"]
    eval_data: tuple[DataConfig, ...] = ()
    loss: LossConfig = LossConfig()
    schedule: ScheduleConfig
    alarms: AlarmsConfig = AlarmsConfig()
    report_to: tuple[str, ...] = ("tensorboard",)
    vision_lr: PositiveFloat | None = None
    projector_lr: PositiveFloat | None = 1e-6
    lm_lr: PositiveFloat | None = 1e-6

    @model_validator(mode="after")
    def _steps_hold_whole_rollouts(self) -> Self:
        updates, parts = self.loss.updates_per_rollout, self.schedule.gradient_accumulation
        if self.rollout.prompts_per_step % parts:
            raise ValueError(f"rollout.prompts_per_step must be a multiple of schedule.gradient_accumulation {parts}")
        for key in ("steps", "checkpoint_every"):
            if getattr(self.schedule, key) % updates:
                raise ValueError(f"schedule.{key} must be a multiple of loss.updates_per_rollout {updates}")
        return self


class SupervisedConfig(Config):
    """The control: learn the true answers to the very questions that another method is given.

    With the same data, num_prompts and seed they are the same, where the rewards of the other can judge all of them.
    """

    method: Literal["supervised"]
    seed: int = 0
    model: ModelConfig
    data: tuple[DataConfig, ...] = Field(min_length=1)
    num_prompts: PositiveInt | None = None
    prompts_per_step: PositiveInt = 16
    schedule: ScheduleConfig
    report_to: tuple[str, ...] = ("tensorboard",)
    vision_lr: PositiveFloat | None = None
    projector_lr: PositiveFloat | None = 1e-6
    lm_lr: PositiveFloat | None = 1e-6


class RejectionConfig(JudgedConfig):
    """Rejection sampling: the best of several replies becomes a sample to train on; best and worst become a pair.

    min_reward: the least that a reply must be worth to be kept.
    min_gap: the least difference between the two replies of a pair.
    shard_records: images or sets of images a shard.
    """

    method: Literal["rejection"]
    min_reward: float = Field(1.0, ge=0, le=1)
    min_gap: float = Field(0.5, gt=0, le=1)
    shard_records: PositiveInt = 512


class DpoConfig(Config):
    """Direct preference optimisation (arXiv 2305.18290) on pairs of a better and a worse reply.

    data: the stores that hold the pairs' questions.
    pairs: files of pairs, as `method: rejection` writes them.
    beta: how strongly the model is held to the one that training began with.
    pairs_per_step: in one forward pass.
    """

    method: Literal["dpo"]
    seed: int = 0
    model: ModelConfig
    data: tuple[DataConfig, ...] = Field(min_length=1)
    pairs: tuple[Path, ...] = Field(min_length=1)
    beta: PositiveFloat = 0.1
    loss_type: Literal["sigmoid", "ipo", "hinge"] = "sigmoid"
    pairs_per_step: PositiveInt = 16
    schedule: ScheduleConfig
    report_to: tuple[str, ...] = ("tensorboard",)
    vision_lr: PositiveFloat | None = None
    projector_lr: PositiveFloat | None = 5e-7
    lm_lr: PositiveFloat | None = 5e-7
