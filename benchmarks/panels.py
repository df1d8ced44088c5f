"""Panels of drawn compound figures: how many are found and where, for each kind of layout, and how long it takes.

The figures are drawn from a seed of their own: the thresholds of the cut were set on seed 1, and seed 4 is reported.
Drawn figures are clean, so the numbers bound what published figures give from above. `F1` counts panels of an IoU of
0.5 and more; `CLEF` is the mean over figures of right panels over the larger number of true and found ones, a panel
being right if two thirds of it lie in a true one; `exact` is the share of figures with the right number of panels;
`sure` the share that is not called uncertain, and `F1 sure` the F1 among those. The last column is processor time of
one thread.

    python benchmarks/panels.py [--figures 100] [--seed 4] [--detector panels.onnx]
"""

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL

from osler.curate.panels.boxes import PanelLayout
from osler.curate.panels.onnx_detector import DetectorLayout, detect_panels, open_session
from osler.curate.panels.score import PanelCounts, score_panels
from osler.curate.panels.xy_cut import find_panels
from osler.synth.compound.figure import KINDS, draw_figure


def main() -> None:
    arguments = _arguments()
    find: Callable[[np.ndarray], PanelLayout] = find_panels
    if arguments.detector:
        layout = DetectorLayout()
        find = partial(detect_panels, session=open_session(Path(arguments.detector), layout), layout=layout)
    print(
        f"{arguments.figures} figures a kind, seed {arguments.seed}; Python {platform.python_version()}, "
        f"numpy {np.__version__}, Pillow {PIL.__version__}"
    )
    names = ("precision", "recall", "F1", "CLEF", "exact", "sure", "F1 sure", "ms")
    print(f"{'kind':<14}" + "".join(f"{name:>10}" for name in names))
    for kind in KINDS:
        counts = sure = PanelCounts()
        seconds = 0.0
        for number in range(arguments.figures):
            figure = draw_figure(kind, number, seed=arguments.seed)
            start = time.process_time()
            layout_found = find(figure.pixels)
            seconds += time.process_time() - start
            score = score_panels(figure.boxes, layout_found.boxes)
            counts += score
            sure += PanelCounts() if layout_found.uncertain else score
        num = counts.figures
        values = (
            counts.precision,
            counts.recall,
            counts.f1,
            counts.clef,
            counts.exact / num,
            sure.figures / num,
            sure.f1,
        )
        print(f"{kind:<14}" + "".join(f"{value:>10.3f}" for value in values) + f"{1000 * seconds / num:>10.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, default=100, help="figures of each kind")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--detector", help="an ONNX file in place of straight cuts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
