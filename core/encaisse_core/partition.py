"""Join a whole history of sightings, and take a join back: what the store does, on values alone.

The store joins page by page. Replaying all faces here must give the same partition whatever the
order the tools answered in, as long as nothing was doubtful; and a person's "same" must be exactly
undone by its un-merge. Both are tested on this module, and the store against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from encaisse_core.join import Candidate, Choice, Doubtful, Face, Joined, Key, choose, keys


@dataclass(frozen=True, slots=True)
class Partition:
    """Hold the sightings of each claim.

    `doubts` lists each sighting whose choice was not clear-cut, with that choice.
    """

    claims: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    doubts: tuple[tuple[str, Choice], ...] = ()

    def groups(self) -> frozenset[frozenset[str]]:
        """Forget the claims' names, which depend on which sighting came first."""
        return frozenset(self.claims.values())


@dataclass(frozen=True, slots=True)
class Merge:
    """Record a merge as an event: which sightings moved from one claim to the other."""

    kept: str
    merged: str
    moved: frozenset[str]


def replay(faces: Sequence[Face]) -> Partition:
    """Join faces in the order given; a claim bears the name of the sighting that opened it."""
    claims: dict[str, set[str]] = {}
    index: dict[Key, list[tuple[str, Face]]] = {}
    doubts: list[tuple[str, Choice]] = []
    for face in faces:
        own = keys(face)
        found = [
            Candidate(claim, key.rung, other) for key in own for claim, other in index.get(key, ())
        ]
        choice = choose(face, found)
        claim_id = choice.claim_id if isinstance(choice, Joined) else face.sighting_id
        if isinstance(choice, Doubtful) or (isinstance(choice, Joined) and choice.also):
            doubts.append((face.sighting_id, choice))
        claims.setdefault(claim_id, set()).add(face.sighting_id)
        for key in own:
            index.setdefault(key, []).append((claim_id, face))
    return Partition({c: frozenset(members) for c, members in claims.items()}, tuple(doubts))


def merge(partition: Partition, kept: str, merged: str) -> tuple[Partition, Merge]:
    """Put all sightings of one claim on another, and return the event that undoes it.

    Raises ValueError when both are one claim, KeyError when one does not exist.
    """
    if kept == merged:
        raise ValueError(f"{kept} cannot be merged with itself")
    moved = partition.claims[merged]
    claims = {claim: members for claim, members in partition.claims.items() if claim != merged}
    claims[kept] = partition.claims[kept] | moved
    return Partition(claims, partition.doubts), Merge(kept, merged, moved)


def unmerge(partition: Partition, event: Merge) -> Partition:
    """Give the merged claim its sightings back; what joined either side since stays with `kept`.

    Raises ValueError when the event does not fit, so that a merge is never undone twice.
    """
    members = partition.claims.get(event.kept, frozenset())
    if event.merged in partition.claims or not event.moved <= members:
        raise ValueError(f"{event.merged} is not merged into {event.kept} any more")
    claims = dict(partition.claims)
    claims[event.kept] = members - event.moved
    claims[event.merged] = event.moved
    return Partition(claims, partition.doubts)
