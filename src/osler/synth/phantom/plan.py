"""Which patients belong to which split and lie in which shard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osler.core.errors import InputError
from osler.schema.sample import Split
from osler.store.index import shard_name
from osler.synth.phantom.patient import num_visits
from osler.synth.phantom.truth import DATASET
from osler.synth.splits import SPLITS, split_by_hash


@dataclass(frozen=True)
class Job:
    """One shard: its place and the numbers of its patients."""

    split: Split
    number: int
    patients: tuple[int, ...]

    @property
    def name(self) -> str:
        """The stem of the shard's files."""
        return shard_name(self.split, self.number)


def split_of(number: int, shares: dict[Split, float]) -> Split:
    """The split of patient `number`: fixed by a hash of the number, the same for every seed and number of patients."""
    return split_by_hash(f"{DATASET} split {number}", shares)


def plan_jobs(seed: int, num_patients: int, *, shares: dict[Split, float], shard_records: int) -> list[Job]:
    """Which patients go into which shard. Raises InputError where a split with a share is left without a patient."""
    patients: dict[Split, list[int]] = {split: [] for split in SPLITS}
    for number in range(num_patients):
        patients[split_of(number, shares)].append(number)
    for split, share in shares.items():
        if share > 0 and not patients[split]:
            raise InputError(
                f"split {split!r} has no patient",
                expected=f"a share of {share:g} to hold at least one of {num_patients} patients",
                fix="Draw more patients, or set the share to 0.",
            )
    return [job for split in SPLITS for job in _shards(seed, split, patients[split], shard_records)]


def _shards(seed: int, split: Split, patients: Sequence[int], shard_records: int) -> Iterator[Job]:
    taken: list[int] = []
    num_records = number = 0
    for patient in patients:
        taken.append(patient)
        num_records += 2 * num_visits(seed, patient) - 1  # a record a film, and one a pair of films that follow
        if num_records >= shard_records:
            yield Job(split, number, tuple(taken))
            taken, num_records, number = [], 0, number + 1
    if taken:
        yield Job(split, number, tuple(taken))
