"""GRPO on TRL: TRL groups, compares and updates; asking, drawing and judging are Osler's own.

TRL's way of showing images to a model repeats them for every reply and knows nothing of 16-bit films. Here a question
is read as in training and evaluation, its images pass the tower once, and its replies share its words.

Axes: B replies, T tokens of a reply.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase, TrainerControl
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import split_tensor_dict

from osler.core.errors import OslerError
from osler.core.rng import generator
from osler.model.compose import OslerForConditionalGeneration, checkpoint_layers
from osler.model.lora import without_adapters
from osler.rl.alarms import Alarms
from osler.rl.course import Course
from osler.rl.likelihood import likelihood
from osler.rl.questions import Question, Questions
from osler.rl.reward import Panel, Said, Scored, read_said
from osler.rl.rollout import Drawing, roll_out
from osler.train.trainer import optimizer, train_on

# Questions of one batch of an evaluation.
_EVAL_BATCH = 64


@dataclass(frozen=True)
class Loss:
    """Plain values of `LossConfig`, and how many replies are compared."""

    type: str
    scale: str
    kl: float
    clip_low: float
    clip_high: float
    updates_per_rollout: int
    learn_from_truncated: bool
    num_replies: int


@dataclass(frozen=True)
class Asking:
    """What is asked and how replies are drawn and judged.

    Args:
        questions: by number, in training.
        eval_questions: asked at each evaluation; empty where there is none.
        panel: the rewards.
        accuracy: a panel that tells right from wrong, for evaluations.
        tokenizer: the model's own.
        drawing: of training replies.
        seed: of the draws.
        row_tokens: see `likelihood`.
    """

    questions: Questions
    eval_questions: Questions
    panel: Panel
    accuracy: Panel
    tokenizer: PreTrainedTokenizerBase
    drawing: Drawing
    seed: int
    row_tokens: int

    def read(self, question: Question, ids: Sequence[int]) -> Said:
        """One reply, its end token taken off, as `osler eval` reads it."""
        finished = ids[-1] == self.drawing.end_id
        raw = self.tokenizer.decode(ids[:-1] if finished else ids, skip_special_tokens=False)
        limit = self.drawing.max_new_tokens
        return read_said(question.sample, raw, finished=finished, num_tokens=len(ids), max_tokens=limit)


def items(order: Sequence[int]) -> Dataset:
    """The questions to ask, in order, as TRL takes them: it looks at `prompt` and passes the row on."""
    return Dataset.from_dict({"row": list(map(int, order)), "prompt": [str(int(number)) for number in order]})


def no_reward(prompts: list[str], **given: Any) -> list[None]:
    """Stands where TRL wants a function; rewards come from `GroupTrainer._calculate_rewards`."""
    del given
    return [None] * len(prompts)


no_reward.__name__ = "total"


@dataclass(frozen=True)
class Unadapted:
    """The model as it was before it had adapters, which hold all that it has learned since."""

    model: OslerForConditionalGeneration


class GroupTrainer(GRPOTrainer):
    """GRPOTrainer whose questions, replies, likelihoods and rewards are those of `asking`.

    Args:
        asking: what is asked.
        reference: what the divergence is measured from: the start as a frozen copy, or None, where the start is the
            model without its adapters.
        kl: weight of the divergence.
        optimizer: of the parts that learn.
    """

    control: TrainerControl

    def __init__(
        self,
        *,
        asking: Asking,
        reference: OslerForConditionalGeneration | None,
        kl: float,
        optimizer: torch.optim.Optimizer,
        **options: Any,
    ) -> None:
        # A weight of 0 keeps TRL from reading a reference model from disk.
        super().__init__(
            reward_funcs=no_reward, processing_class=asking.tokenizer, optimizers=(optimizer, None), **options
        )
        self.asking = asking
        self.beta = kl
        self.ref_model = (reference or Unadapted(self.model)) if kl else None
        self._asked: list[int] = []
        self._buffered_inputs: list[dict[str, Any]] | None = None

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._asked = [given["row"] for given in inputs]
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        output["asked"] = list(self._asked)
        return output

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        """As TRL's, without its shuffle: replies to one question stay together, so that they can share its words."""
        every = self.args.steps_per_generation * self.num_iterations
        if self._step % every == 0 or self._buffered_inputs is None:
            scored = self._generate_and_score_completions(generation_batch)
            self._buffered_inputs = split_tensor_dict(scored, self.args.steps_per_generation)
        found: dict[str, Any] = self._buffered_inputs[self._step % self.args.steps_per_generation]
        return found

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return [self.asking.questions[number].ids for number in self._asked], None, {}

    def _generate_single_turn(self, *given: Any, **options: Any) -> tuple[list[list[int]], None]:
        distinct = self._asked[:: self.num_generations]
        random = torch.Generator(self.model.device)
        random.manual_seed(int(generator(self.asking.seed, "draw", self.state.global_step).integers(2**62)))
        with self.accelerator.autocast():
            replies = roll_out(
                self.model,
                [self.asking.questions[number] for number in distinct],
                num_replies=self.num_generations,
                drawing=self.asking.drawing,
                random=random,
            )
        return replies, None

    def _calculate_rewards(
        self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: list[list[int]]
    ) -> torch.Tensor:
        said = [
            self.asking.read(self.asking.questions[number], ids)
            for number, ids in zip(self._asked, completion_ids_list, strict=True)
        ]
        scored = self.asking.panel.score(said)
        for name, value in summary(said, scored).items():
            self._metrics["train"][name].append(value)
        totals = [[float("nan") if each.total is None else each.total] for each in scored]
        return torch.tensor(totals, device=self.accelerator.device)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *given: Any,
        compute_aux_loss: bool = False,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        replies = [row[row != self.asking.drawing.pad_id].tolist() for row in input_ids[:, -logits_to_keep:]]
        asked = [(self.asking.questions[number], ids) for number, ids in zip(self._asked, replies, strict=True)]
        policy = model.model if isinstance(model, Unadapted) else model
        view = without_adapters(policy) if isinstance(model, Unadapted) else nullcontext()
        with view, self.accelerator.autocast():
            found = likelihood(
                policy,
                asked,
                temperature=self.temperature,
                row_tokens=self.asking.row_tokens,
                with_aux_loss=compute_aux_loss,
            )
        return _padded(found.logps, logits_to_keep), _padded(found.entropies, logits_to_keep), found.aux_loss

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        self._asked = inputs["asked"]
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        return loss

    def evaluate(self, *given: Any, **options: Any) -> dict[str, float]:
        """Ask the evaluation's questions greedily: the share that is right, that can be read, and the mean reward."""
        asking, questions = self.asking, self.asking.eval_questions
        with self.accelerator.autocast():
            metrics = eval_metrics(asking, questions, ask=lambda part: greedy(self.model, part, asking.drawing))
        self.model.eval()  # so that TRL files the entry under evaluation
        self.log(dict(metrics))
        self.model.train()
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def fit_groups(
    model: OslerForConditionalGeneration,
    asking: Asking,
    *,
    course: Course,
    loss: Loss,
    alarms: Alarms,
    reference: OslerForConditionalGeneration | None,
) -> None:
    """Train on replies drawn from the model, from the last whole checkpoint if there is one.

    Args:
        course: its order names the questions as they are asked, its batch is the replies of one forward pass.
        loss: plain values of the recipe's `loss`.
        alarms: what watches for a collapse.
        reference: see `GroupTrainer`.
    """
    schedule = course.schedule
    has_experts = hasattr(model.config.text_config, "router_aux_loss_coef")
    arguments = GRPOConfig(
        **schedule.arguments(course.out, course.world(model.device)),
        num_generations=loss.num_replies,
        max_completion_length=asking.drawing.max_new_tokens,
        temperature=asking.drawing.temperature,
        num_iterations=loss.updates_per_rollout,
        beta=0.0,
        epsilon=loss.clip_low,
        epsilon_high=loss.clip_high,
        loss_type=loss.type,
        scale_rewards=loss.scale,
        mask_truncated_completions=not loss.learn_from_truncated,
        shuffle_dataset=False,
        gradient_checkpointing=False,  # done by `checkpoint_layers`
        router_aux_loss_coef=schedule.router_aux_coef if has_experts else None,
    )
    if schedule.checkpointing == "full":
        checkpoint_layers(model)
    trainer = GroupTrainer(
        asking=asking,
        reference=reference,
        kl=loss.kl,
        optimizer=optimizer(course.param_groups),
        model=model,
        args=arguments,
        train_dataset=items(course.order),
        eval_dataset=items([0]) if len(asking.eval_questions) else None,
        callbacks=[alarms, *course.callbacks()],
    )
    train_on(trainer, course.out)


def greedy(model: Any, questions: Sequence[Question], drawing: Drawing) -> list[list[int]]:
    """The likeliest reply to each question."""
    likeliest = Drawing(drawing.max_new_tokens, 0.0, drawing.end_id, drawing.pad_id, drawing.banned_ids)
    return roll_out(model, questions, num_replies=1, drawing=likeliest, random=torch.Generator(model.device))


def eval_metrics(
    asking: Asking, questions: Questions, *, ask: Callable[[Sequence[Question]], list[list[int]]]
) -> dict[str, float]:
    """`eval_accuracy`, `eval_parse_rate` and `eval_reward` over all questions; `ask` gives the replies."""
    said: list[Said] = []
    for start in range(0, len(questions), _EVAL_BATCH):
        part = [questions[number] for number in range(start, min(start + _EVAL_BATCH, len(questions)))]
        said += [asking.read(question, ids) for question, ids in zip(part, ask(part), strict=True)]
    right = [each.total for each in asking.accuracy.score(said) if each.total is not None]
    totals = [each.total for each in asking.panel.score(said) if each.total is not None]
    if not totals:
        raise OslerError("no reward can judge any of the evaluation's questions")
    return {
        "eval_accuracy": sum(right) / len(right) if right else sum(totals) / len(totals),
        "eval_parse_rate": sum(each.extraction.status == "ok" for each in said) / len(said),
        "eval_reward": sum(totals) / len(totals),
    }


def summary(said: Sequence[Said], scored: Sequence[Scored]) -> dict[str, float]:
    """What a step's replies are like: shares that could be read and judged, the commonest reply, each reward's mean."""
    commonest = Counter(each.raw for each in said).most_common(1)[0][1]
    found = {
        "parse_rate": sum(each.extraction.status == "ok" for each in said) / len(said),
        "same_reply": commonest / len(said),
        "unjudged": sum(each.total is None for each in scored) / len(scored),
    }
    for name in scored[0].parts:
        judged = [part for each in scored if (part := each.parts[name]) is not None]
        if judged:
            found[f"rewards/{name}"] = sum(judged) / len(judged)
    return found


def _padded(values: Sequence[torch.Tensor], length: int) -> torch.Tensor:
    """[B, T], 0 behind each reply's end."""
    padded_BT = pad_sequence(list(values), batch_first=True)
    return torch.nn.functional.pad(padded_BT, (0, length - padded_BT.shape[1]))
