"""The reply points at the right places: its boxes overlap the true ones (`osler.scoring.boxes`).

Only where the truth has boxes on the question's one image. A reply without boxes earns nothing.
"""

from collections.abc import Mapping

from osler.rl.reward import Reward, Said
from osler.scoring.boxes import box_overlap, read_boxes
from osler.scoring.scorer import Metric


def judge(said: Said, metrics: Mapping[str, Metric]) -> float | None:
    """Mean overlap of given and true boxes, counted over the more numerous of the two."""
    del metrics
    if not said.sample.boxes or len(said.sample.media) != 1:
        return None
    truth = [(box.x0, box.y0, box.x1, box.y1) for box in said.sample.boxes]
    return box_overlap(read_boxes(f"{said.analysis}\n{said.extraction.final}"), truth)


REWARD = Reward(name="grounding", judge=judge, blind_to="which box belongs to which finding; findings without a box")
