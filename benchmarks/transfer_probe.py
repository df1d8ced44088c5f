"""The linear probe on one core, against scikit-learn's LogisticRegression, on equal features, penalties and classes.

10,000 x 768 features with the decaying spectrum and the shared direction that encoders' features have, 10 classes, the
whole grid of the protocol's penalties. scikit-learn is run on a part of the grid, as it takes minutes for the weaker
penalties: with lbfgs, which stops near the minimum at any tolerance, and with newton-cg, which goes on to it.
Both sides' probabilities are compared.

    OMP_NUM_THREADS=1 python benchmarks/transfer_probe.py [--num 10000] [--width 768] [--classes 10] [--peer 1000 10]
"""

import argparse
import time
import warnings
from itertools import product

import numpy as np

from osler.transfer.logistic import logistic_path
from osler.transfer.probes.linear import LinearConfig

PEERS = {"lbfgs": 1e-8, "newton-cg": 1e-10}


def drawn(num: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(width, width)))[0]
    features = random.normal(size=(num, width)) * 0.985 ** np.arange(width) @ turn + 0.02 * random.normal(
        size=(num, width)
    )
    scores = features @ random.normal(size=(width, classes)) * 0.5 + random.gumbel(size=(num, classes))
    return features + random.normal(size=width), scores.argmax(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--num", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--peer", type=float, nargs="*", default=[1000.0, 10.0])
    arguments = parser.parse_args()
    features, targets = drawn(arguments.num, arguments.width, arguments.classes)
    options = LinearConfig()
    start, cpu = time.perf_counter(), time.process_time()
    found = dict(
        logistic_path(features, targets, options.l2, max_iterations=options.max_iterations, tolerance=options.tolerance)
    )
    ours, ours_cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"whole grid of {len(options.l2)} penalties: {ours:.1f} s, {ours_cpu:.1f} s of processor time")
    from sklearn.linear_model import LogisticRegression

    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    for l2, (solver, tolerance) in product(arguments.peer, PEERS.items()):
        cpu = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = LogisticRegression(C=1 / l2, solver=solver, tol=tolerance, max_iter=20_000).fit(scaled, targets)
        seconds = time.process_time() - cpu
        apart = np.abs(peer.predict_proba(scaled) - found[l2](features)).max()
        print(
            f"scikit-learn {solver}, l2 {l2:g} alone: {seconds:.1f} s of processor time, {seconds / ours_cpu:.1f}x our "
            f"whole grid; largest difference of a probability {apart:.1e}"
        )


if __name__ == "__main__":
    main()
