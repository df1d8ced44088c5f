"""`osler transfer`: encoders under one protocol on labelled image sets, with intervals, tests and ranks.

The steps, each of which leaves files that a later start goes on from: read the sets, find copies across splits,
extract features, run the probes (one file of predictions for each encoder, set, probe and seed), score.
"""

from pathlib import Path

from osler.core.files import existing_folder
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.settings import read_settings
from osler.curate.executor import Executor, make_executor
from osler.scoring.encoders.compare import compare_encoders
from osler.scoring.encoders.measured import measured
from osler.scoring.encoders.results import encoder_results
from osler.scoring.encoders.runs import FOLDER, read_runs
from osler.transfer import config as recipes
from osler.transfer.config import EncoderConfig, TransferConfig, sections_of
from osler.transfer.features import EncoderSpec, FeatureCache, Job, extract, opened
from osler.transfer.further import (
    Further,
    check_encoders,
    extract_further,
    further_results,
    open_sections,
    run_further,
    section_paths,
    write_sheets,
)
from osler.transfer.leaks import find_leaks
from osler.transfer.protocol import features_identity, protocol_sha256
from osler.transfer.read_set import read_image_set, set_paths
from osler.transfer.resize import Resize, make_resize
from osler.transfer.sets_file import set_records, write_drops
from osler.transfer.shared_files import write_shared_json
from osler.transfer.units import Bench, run_units

parse = recipes.parse
SAME_RESULT = ("executor", "num_workers", "num_threads", "features")


def inputs(config: TransferConfig) -> list[Path]:
    """The folders of weights, and the files that list the sets' rows. Images are held to the hashes of their files."""
    weights = [existing_folder(each.folder) for each in config.encoders if each.folder is not None]
    further = section_paths(sections_of(config))
    return list(dict.fromkeys([*weights, *(path for each in config.sets for path in set_paths(each)), *further]))


def shares_folder(config: TransferConfig) -> bool:
    """Whether other commands write to the same output folder at the same time."""
    return config.executor.kind == "rank"


def run(config: TransferConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Measure and score. A run that was cut goes on with what is missing and ends with the same `results.json`."""
    protocol = config.protocol
    executor = make_executor(config.executor, config.num_workers, read_settings())
    sets = [
        read_image_set(each, deep_gray=protocol.resize.deep_gray, num_threads=config.num_threads, log=log)
        for each in config.sets
    ]
    leaks = {each.name: find_leaks(each, out, num_threads=config.num_threads, log=log) for each in sets}
    further = open_sections(sections_of(config), sets, leaks, protocol=protocol)
    benches = [_bench(config, encoder, out, device=device) for encoder in config.encoders]
    check_encoders(further.sections, benches, log)
    if not all([_features(further, bench, executor, log) for bench in benches]):
        message = "the features of this rank are done; the last rank to end goes on with the probes"
        return Outcome(message, is_finished=False)
    for bench in benches:
        run_units(bench, sets, leaks, protocol=protocol, probes=config.probes, out=out / FOLDER, log=log)
        run_further(further, bench, out=out, log=log)
    write_sheets(further, benches[0], out)
    ones, digest = measured(read_runs(out)), protocol_sha256(protocol)
    results = [*encoder_results(ones), *further_results(out, protocol=protocol)]
    write_shared_json(out / "results.json", [result.model_dump(mode="json") for result in results])
    write_shared_json(out / "comparisons.json", [each.model_dump(mode="json") for each in compare_encoders(ones)])
    write_shared_json(out / "protocol.json", {"sha256": digest, "protocol": protocol.model_dump(mode="json")})
    write_shared_json(out / "sets.json", set_records(sets, leaks))
    write_drops(out / "drops.jsonl", sets)
    counts = {
        "encoders": len(benches),
        "sets": len(sets),
        "images": sum(len(each.items) for each in sets),
        "dropped": sum(len(each.drops) for each in sets),
        "leaked_pairs": sum(len(each.pairs) for each in leaks.values()),
        "results": len(results),
    }
    message = f"{len(benches)} encoders on {len(sets)} sets under protocol {digest[:12]}"
    return Outcome(message, seeds={f"seed_{n}": seed for n, seed in enumerate(protocol.seeds)}, counts=counts)


def _features(further: Further, bench: Bench, executor: Executor, log: Log) -> bool:
    """Extract all features of an encoder; False where other ranks have yet to do theirs."""
    items = [item for each in further.sets for item in each.items] + further.items
    whole = extract(bench.cache, items, bench.job, executor=executor, label=f"features {bench.name}", log=log)
    return extract_further(further, bench, executor=executor, log=log) and whole


def _bench(config: TransferConfig, encoder: EncoderConfig, out: Path, *, device: str) -> Bench:
    """An encoder, opened once to know its size and its weights' hash, with its part of the cache."""
    spec = EncoderSpec(encoder.encoder, encoder.folder, encoder.seed, device)
    loaded = opened(spec)
    resize: Resize = make_resize(config.protocol.resize, encoder.name, loaded.image_size)
    identity = features_identity(
        config.protocol, loaded.weights_sha256, image_px=loaded.image_size, mean=loaded.mean, std=loaded.std
    )
    cache = FeatureCache(config.features or out / "features", identity)
    job = Job(spec, resize, config.protocol.dtype, (), cache.folder, config.batch_size, config.num_threads)
    without_text = "" if loaded.text is not None else loaded.without_text
    return Bench(encoder.name, spec, loaded.weights_sha256, cache, job, without_text)
