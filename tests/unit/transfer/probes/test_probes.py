import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from osler.core.errors import InputError
from osler.transfer.logistic import logistic_path
from osler.transfer.probe import Draw, Part
from osler.transfer.probes.few_shot import FewShotConfig
from osler.transfer.probes.few_shot import probe as few_shot
from osler.transfer.probes.knn import KnnConfig
from osler.transfer.probes.knn import probe as knn
from osler.transfer.probes.linear import LinearConfig
from osler.transfer.probes.linear import probe as linear


def drawn(*, classes: int = 3, n: int = 150, width: int = 12, multi: bool = False, skip: int | None = None) -> Draw:
    random = np.random.default_rng(classes)
    centres = random.normal(size=(classes, width))
    gold = random.integers(classes, size=n)
    features = (centres[gold] + random.normal(size=(n, width)) * 1.5 + 3).astype(np.float32)
    targets = (random.random((n, classes)) < 0.4) | np.eye(classes, dtype=bool)[gold] if multi else gold
    cut, end = n // 2, 2 * n // 3
    rows = np.arange(cut) if skip is None else np.flatnonzero(gold[:cut] != skip)
    empty = np.zeros((0, classes), bool) if multi else np.zeros(0, np.int64)
    return Draw(
        set_name="drawn", num_classes=classes, is_multi_label=multi, seed=0,
        train=Part(features[rows], targets[rows], rows),
        validation=Part(features[cut:end], targets[cut:end], np.arange(cut, end)),
        test=Part(features[end:], empty, np.arange(end, n)),
    )  # fmt: skip


def peer(features, targets, l2: float) -> LogisticRegression:
    model = LogisticRegression(
        C=1 / l2, tol=1e-12, max_iter=10_000, solver="newton-cg" if len(set(targets)) > 2 else "newton-cholesky"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(features, targets)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("l2", [0.1, 10.0])
def test_the_regression_is_scikit_learns_to_1e_6(classes, l2):
    draw = drawn(classes=classes)
    features = draw.train.features.astype(np.float64)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    asked = (draw.test.features - features.mean(axis=0)) / features.std(axis=0)
    expected = peer(scaled, draw.train.targets, l2).predict_proba(asked)
    path = dict(
        logistic_path(
            features, draw.train.targets, (1000.0, l2), max_iterations=5000, tolerance=LinearConfig().tolerance
        )
    )
    assert np.abs(path[l2](draw.test.features) - expected).max() < 1e-6


def test_more_features_than_items_give_the_same_minimum():
    random = np.random.default_rng(0)
    features, targets = random.normal(size=(30, 80)), np.arange(30) % 3
    expected = peer(features - features.mean(axis=0), targets, 1.0).predict_proba(features - features.mean(axis=0))
    model = next(
        iter(
            logistic_path(
                features, targets, (1.0,), scale="none", max_iterations=5000, tolerance=LinearConfig().tolerance
            )
        )
    )[1]
    assert np.abs(model(features) - expected).max() < 1e-6


def test_one_class_and_broken_features_are_refused():
    with pytest.raises(InputError, match="needs two classes"):
        next(iter(logistic_path(np.ones((3, 2)), np.zeros(3, int), (1.0,), max_iterations=9, tolerance=1e-3)))
    with pytest.raises(InputError, match="must be finite numbers"):
        next(iter(logistic_path(np.full((3, 2), np.nan), np.arange(3), (1.0,), max_iterations=9, tolerance=1e-3)))


def test_the_linear_probe_chooses_its_penalty_on_validation_and_then_learns_from_it():
    draw = drawn()
    given = linear(draw, LinearConfig())[""]
    losses = {}
    for l2, model in logistic_path(
        draw.train.features,
        draw.train.targets,
        LinearConfig().l2,
        max_iterations=5000,
        tolerance=LinearConfig().tolerance,
    ):
        table = model(draw.validation.features)
        losses[l2] = -np.log(table[np.arange(len(table)), draw.validation.targets]).mean()
    assert given.facts["l2"] == min(losses, key=losses.get)
    features = np.concatenate([draw.train.features, draw.validation.features]).astype(np.float64)
    targets = np.concatenate([draw.train.targets, draw.validation.targets])
    mean, std = features.mean(axis=0), features.std(axis=0)
    expected = peer((features - mean) / std, targets, given.facts["l2"]).predict_proba(
        (draw.test.features - mean) / std
    )
    assert np.abs(given.probabilities - expected).max() < 1e-6


def test_knn_is_scikit_learns_with_the_same_weights():
    draw = drawn()
    known = np.concatenate([draw.train.features, draw.validation.features]).astype(np.float64)
    targets = np.concatenate([draw.train.targets, draw.validation.targets])
    mean, std = known.mean(axis=0), known.std(axis=0)
    model = KNeighborsClassifier(
        n_neighbors=10, metric="cosine", algorithm="brute", weights=lambda far: np.exp((1 - far) / 0.07)
    ).fit((known - mean) / std, targets)
    expected = model.predict_proba((draw.test.features.astype(np.float64) - mean) / std)
    assert np.abs(knn(draw, KnnConfig())[""].probabilities - expected).max() < 1e-9


def test_knn_takes_all_where_there_are_fewer_than_k():
    draw = drawn(n=9)
    assert knn(draw, KnnConfig(k=50))[""].facts["k"] == 6


def test_few_shots_are_nested_draws_of_each_class():
    found = few_shot(drawn(), FewShotConfig())
    assert list(found) == ["1", "2", "4", "8", "16"]
    assert [found[key].facts["num_images"] for key in found] == [3, 6, 12, 24, 48]
    assert all(np.allclose(each.probabilities.sum(axis=1), 1) for each in found.values())
    again = few_shot(drawn(), FewShotConfig())
    assert (found["4"].probabilities == again["4"].probabilities).all()


@pytest.mark.parametrize(("run", "config"), [(linear, LinearConfig()), (knn, KnnConfig()), (few_shot, FewShotConfig())])
def test_a_class_without_training_images_is_said_and_gets_no_probability(run, config):
    draw = drawn(skip=2)
    if run is not few_shot:
        keep = draw.validation.targets != 2
        validation = Part(draw.validation.features[keep], draw.validation.targets[keep], draw.validation.rows[keep])
        draw = Draw(**{**vars(draw), "validation": validation})
    for given in run(draw, config).values():
        assert given.facts["classes_not_in_training"] == [2]
        assert (given.probabilities[:, 2] == 0).all() and np.isfinite(given.probabilities).all()


@pytest.mark.parametrize(("run", "config"), [(linear, LinearConfig()), (knn, KnnConfig()), (few_shot, FewShotConfig())])
def test_several_labels_have_probabilities_of_their_own(run, config):
    for given in run(drawn(multi=True), config).values():
        assert given.probabilities.shape == (50, 3)
        assert ((given.probabilities >= 0) & (given.probabilities <= 1)).all()
        assert not np.allclose(given.probabilities.sum(axis=1), 1)
