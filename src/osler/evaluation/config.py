"""What a recipe of `osler eval` may say: a model's folder or the endpoints that serve it, and what to ask."""

import re
from pathlib import Path
from typing import Any

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from osler.core.catalog import BACKENDS, TASKS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.schema.prediction import Condition
from osler.schema.sample import Split
from osler.scoring.report_metrics.extract import check_names

_URL = re.compile(r"https?://[^/@?#\s]+(/[^@?#\s]*)?\Z")
# Fields of a request's body that the recipe's other keys decide.
_DECIDED = {"model", "messages", "max_tokens", "temperature", "seed", "stop", "response_format", "stream", "n"}


class Endpoint(Config):
    """An OpenAI-compatible server: `url` as in `http://127.0.0.1:8000/v1`, and the model's name there."""

    url: str
    model: str


class RemoteConfig(Config):
    """How endpoints are asked.

    revision: which weights they serve, as the user knows it (a hash, a date): answers under another are asked anew.
    concurrency, requests_per_minute: of each endpoint. timeout_s: of one try. max_tries, first_wait_s: how often and
    how soon a request that failed is sent again. extra: further fields of each request's body.
    """

    revision: str = ""
    concurrency: PositiveInt = 8
    requests_per_minute: PositiveFloat | None = None
    timeout_s: PositiveFloat = 120.0
    max_tries: PositiveInt = 5
    first_wait_s: NonNegativeFloat = 1.0
    extra: dict[str, Any] = {}


class EvalConfig(Config):
    """A recipe of `osler eval`.

    model: a folder that `osler train` wrote; or, instead, endpoints: servers of one model, which share the questions.
    model_name: how results call it; by default after the folder. Endpoints need it.
    backend: the engine; without it `local` for a folder, `remote` for endpoints.
    data: folders of shards; their train split, where they have one, gives the majority, the question prior and the
    exemplars.
    suffixes: whether the tasks' words about the answer's form are added; a model trained without them is asked
    without them.
    split: ask this split, not each task's own; to choose a recipe by validation samples, say. The scores' task version
    then ends in `/SPLIT`, so that they are not taken for the task's.
    shots: show so many answered questions before each, not the task's own number; the version then ends in `/N-shot`.
    thinking_tokens: what a model that reasons may write beyond the task's own limit.
    canary: so many questions are asked twice, to see whether the decode repeats itself; 0 asks none.
    conditions: `order1`, `order2`, ... ask a choice again with its options turned by so many letters.
    contamination: a folder that `osler curate check` wrote of these tasks' data; scores are then also given on the
    items that the training data does not hold, `TASK[clean]`, and on the others, `TASK[flagged]`.
    metric_weights: folders of the models that metrics of whole reports need, by name (`radgraph`, `chexbert`, ...).
    reuse: predictions of earlier runs, whose answers are taken where all that decides them is the same.
    """

    model: Path | None = None
    endpoints: tuple[Endpoint, ...] = ()
    remote: RemoteConfig = RemoteConfig()
    model_name: str = ""
    backend: str = ""
    data: tuple[Path, ...]
    tasks: tuple[str, ...]
    conditions: tuple[Condition, ...] = ("image", "blind", "shuffled")
    suffixes: bool = True
    split: Split | None = None
    contamination: Path | None = None
    limit: PositiveInt | None = None
    shots: NonNegativeInt | None = None
    thinking_tokens: NonNegativeInt = 0
    batch_size: PositiveInt = 64
    canary: NonNegativeInt = 64
    reuse: tuple[Path, ...] = ()
    metric_weights: dict[str, Path] = {}
    seed: int = 0

    @property
    def name(self) -> str:
        """What results call the model: as it is named, or after its folder, or after that one's parent."""
        if self.model_name or self.model is None:
            return self.model_name
        return self.model.parent.name if self.model.name == "model" and self.model.parent.name else self.model.name


def parse(recipe: Recipe) -> EvalConfig:
    """The recipe checked: one model, known tasks and backend, each named once, the image condition among the others."""
    config = EvalConfig.parse(recipe)
    for key, names in (("data", config.data), ("tasks", config.tasks), ("conditions", config.conditions)):
        if not names or len(set(names)) != len(names):
            raise InputError(f"recipe: {key} must name each entry once", got=", ".join(map(str, names)) or "none")
    if "image" not in config.conditions:
        raise InputError("recipe: conditions must hold 'image'", got=", ".join(config.conditions))
    check_names(config.metric_weights)
    for name in config.tasks:
        TASKS.load(name)
    _check_model(config)
    _check_endpoints(config)
    backend = config.backend or ("remote" if config.endpoints else "local")
    if "." not in backend and backend not in BACKENDS.names():
        BACKENDS.load(backend)
    return config.model_copy(update={"backend": backend})


def _check_model(config: EvalConfig) -> None:
    if (config.model is None) == (not config.endpoints):
        raise InputError(
            "recipe: which model?",
            expected="either model (a folder) or endpoints (servers)",
            got="both" if config.endpoints else "neither",
        )
    if config.endpoints and config.backend == "local":
        raise InputError("recipe: endpoints cannot be asked by backend 'local'", expected="backend: remote")
    if not config.endpoints and config.backend == "remote":
        raise InputError(
            "recipe: backend 'remote' asks endpoints, and the recipe names a folder",
            fix="Write endpoints: [{url: http://HOST:PORT/v1, model: NAME}] in place of model.",
        )
    if config.endpoints and not config.model_name:
        raise InputError(
            "recipe: model_name is missing", expected="what results are to call the model at the endpoints"
        )


def _check_endpoints(config: EvalConfig) -> None:
    urls = [endpoint.url.rstrip("/") for endpoint in config.endpoints]
    for url in urls:
        if not _URL.match(url):
            raise InputError(
                "recipe: an endpoint's url is no plain address",
                expected="http://HOST:PORT/v1 or https://..., without user, password or query",
                got=url.partition("@")[2] if "@" in url else url,
                fix="A key is read from OSLER_API_KEY.",
            )
    if len(set(urls)) != len(urls):
        raise InputError("recipe: endpoints must name each url once", got=", ".join(urls))
    if decided := sorted(_DECIDED & set(config.remote.extra)):
        raise InputError("recipe: remote.extra may not hold what other keys decide", got=", ".join(decided))
