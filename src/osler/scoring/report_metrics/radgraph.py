"""RadGraph F1 of two extracted graphs: sets of entities and relations, duplicates and positions ignored.

Graph: {"entities": {"1": {"tokens": "effusion", "label": "OBS-DP", "relations": [["located_at", "2"]]}}}
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any, Literal

Level = Literal["simple", "partial", "complete"]
Graph = Mapping[str, Any]


def radgraph_f1(given: Graph, gold: Graph, level: Level) -> float:
    """F1 of the two sets of facts; 0 where either graph has no entity, also where both have none.

    simple: words and label of an entity. partial: and whether it has a relation. complete: an entity without relation
    as it is, else one fact for each relation with the words of its target. Words are lower-cased.
    """
    return set_f1(set(_facts(given, level)), set(_facts(gold, level)))


def radcliq_overlap(given: Graph, gold: Graph) -> float:
    """RadCliQ's own form: the mean of entity F1 and relation F1, case kept, ends of a relation with their labels."""
    entities = set_f1(set(_entities(given)), set(_entities(gold)))
    relations = set_f1(set(_relations(given)), set(_relations(gold)))
    return (entities + relations) / 2


def set_f1(given: Set[Any], gold: Set[Any]) -> float:
    """2 |both| / (|given| + |gold|); 0 where nothing is shared."""
    shared = len(given & gold)
    return 2 * shared / (len(given) + len(gold)) if shared else 0.0


def _facts(graph: Graph, level: Level) -> Iterator[tuple[Any, ...]]:
    entities = graph["entities"]
    for entity in entities.values():
        fact = (entity["tokens"].lower(), entity["label"])
        if level == "simple" or not entity["relations"]:
            yield fact
        elif level == "partial":
            yield (*fact, True)
        else:
            yield from (
                (*fact, kind, entities[target]["tokens"].lower())
                for kind, target in entity["relations"]
                if target in entities
            )


def _entities(graph: Graph) -> Iterator[tuple[Any, ...]]:
    return ((entity["tokens"], entity["label"]) for entity in graph["entities"].values())


def _relations(graph: Graph) -> Iterator[tuple[Any, ...]]:
    entities = graph["entities"]
    for entity in entities.values():
        for kind, target in entity["relations"]:
            if target in entities:
                end = entities[target]
                yield ((entity["tokens"], entity["label"]), (end["tokens"], end["label"]), kind)
