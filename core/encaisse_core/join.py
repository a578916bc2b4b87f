"""Decide which sightings are the same invoice, so that what is owed is counted once.

A record of a tool is a *sighting*; what is owed is a *claim*. A sighting joins a claim by the first
rung that holds: (1) seller SIREN + number + issue year; (2) the same document; (3) the lineage the
tool states; (4) the number without its typography + equal total + close issue dates. Rung (5), same
debtor, total and due date under another number, never joins: a person answers. Two wrong joins are
not equal: joining two invoices hides money owed, separating one collects it twice; so every
contradiction is a doubt, and a doubt starts nothing.

`keys` (`faces.py`) says under which values a face is found, `choose` decides among what was found:
shared keys only make candidates, each is verified here again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from encaisse_core.faces import (
    Face,
    close,
    fold_number,
    keys,
    normalise_number,
    numbered,
    own_records,
    sellers,
    stated_record,
)

__all__ = [
    "Candidate",
    "Choice",
    "Doubtful",
    "Face",
    "Joined",
    "Separate",
    "choose",
    "keys",
    "normalise_number",
    "verify",
]

CREDITS = frozenset({"credit_note", "unallocated_credit"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """Offer a sighting of a claim that shares the key of `rung`.

    `live` is False when its tool no longer shows it: only then may another record of the same tool
    take its place (tools renumber their records at year end). `asked` is True when a person is
    being asked about its claim for all that look alike on rung 5.
    """

    claim_id: str
    rung: int
    face: Face
    live: bool = True
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """Join the claim by this rung.

    `also` lists other claims a weaker rung, or rung 5, points to: they may be the same invoice too,
    so they are possible duplicates of the claim joined, for a person to answer. `standing`: they
    are being asked about already.
    """

    claim_id: str
    rung: int
    also: tuple[str, ...] = ()
    standing: bool = False


@dataclass(frozen=True, slots=True)
class Separate:
    """Make a claim of its own: nothing says that the invoice is already known."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Make a claim of its own that may be one of these; nothing starts before a person answers.

    `alike`: only rung 5 says so, and one question stands for all that look alike, those that come
    later included. `standing`: that question is being asked already, about these.
    """

    claim_ids: tuple[str, ...]
    why_fr: str
    alike: bool = False
    standing: bool = False


Choice = Joined | Separate | Doubtful
Verdict = Literal["same", "different", "doubt", "twin"]


def choose(face: Face, candidates: Sequence[Candidate]) -> Choice:
    """Join the claim the strongest rung points to, stand apart, or ask.

    A doubt is: two claims on the winning rung; a claim in which the same tool already shows another
    live row; one document or one number with facts that contradict each other; or rung 5 alone.
    """
    known = [c for c in candidates if c.face.sighting_id != face.sighting_id]
    matches = {c: verdict for c in known if (verdict := verify(face, c)) != "different"}
    twins = _claims(c for c, verdict in matches.items() if verdict == "twin")
    if twins:
        return Doubtful(
            _claims(matches),
            f"Facture {face.number} : un même outil la montre deux fois. Est-ce la même facture ?",
        )
    same = [c for c, verdict in matches.items() if verdict == "same"]
    weak = [c for c in matches if c.rung == 5]
    if same:
        rung = min(c.rung for c in same)
        winner, *others = _claims(c for c in same if c.rung == rung)
        if others:
            return Doubtful(
                (winner, *others),
                f"Facture {face.number} : elle correspond à {1 + len(others)} factures déjà "
                "connues. De laquelle s'agit-il ?",
            )
        there = [c for c in known if c.claim_id == winner]
        if rung == 4 and any(sellers(face, c.face) in ("different", "doubt") for c in there):
            return Doubtful(
                (winner,),
                f"Facture {face.number} : une facture du même numéro et du même montant vient d'un "
                "autre vendeur. Est-ce la même facture ?",
            )
        if any(_beside(face, c) for c in there):
            return Doubtful(
                (winner,),
                f"Facture {face.number} : l'outil qui la montre en a déjà une autre, très proche. "
                "Est-ce la même facture ?",
            )
        alike, standing = _look_alikes(face, weak, winner)
        beside = {c.claim_id for c in same} - {winner}
        return Joined(winner, rung, tuple(sorted({*beside, *alike})), standing and not beside)
    doubts = _claims(c for c in matches if c.rung != 5)
    if doubts:
        return Doubtful(
            _claims(matches),
            f"Facture {face.number} : une facture déjà connue lui ressemble (même client, même "
            "montant et même échéance, même numéro ou même document). Est-ce la même ?",
        )
    alike, standing = _look_alikes(face, weak, None)
    if alike:
        return Doubtful(
            alike,
            look_alike_question(face.number),
            alike=True,
            standing=standing,
        )
    return Separate()


def look_alike_question(number: str) -> str:
    """Ask in French about all invoices of one customer, amount and due date at once."""
    return (
        f"Facture {number} : d'autres factures du même client ont le même montant et la même "
        "échéance, sous d'autres numéros. Sont-elles toutes différentes, ou celle-ci est-elle le "
        "double d'une autre ?"
    )


def _look_alikes(
    face: Face, weak: Sequence[Candidate], joined: str | None
) -> tuple[tuple[str, ...], bool]:
    """List the claims rung 5 points to, and tell whether their question is being asked already.

    Whoever is asked about is linked to all that look alike on a due date, so while the question
    stands a newcomer is linked to that claim alone: a customer billed one amount a thousand times
    makes a thousand doubts and one question, not a doubt for each pair. A claim that was joined and
    looks alike itself was asked about when it came.
    """
    by_due_date = [
        [c for c in weak if due in c.face.due_dates] for due in dict.fromkeys(face.due_dates)
    ]
    groups = [group for group in by_due_date if group and all(c.claim_id != joined for c in group)]
    asked = [[c for c in group if c.asked] for group in groups]
    if groups and all(asked):
        return _claims(c for group in asked for c in group), True
    return _claims(c for group in groups for c in group), False


def _beside(face: Face, candidate: Candidate) -> bool:
    """Tell whether the candidate is another live row of the same tool, and no mere copy."""
    other = candidate.face
    copies = (
        face.issued
        and other.issued
        and fold_number(face.number) == fold_number(other.number)
        and (face.issue_date, face.total, face.debtor_key)
        == (other.issue_date, other.total, other.debtor_key)
        and sellers(face, other) in ("same", "unknown")
    )
    return candidate.live and other.connection_id == face.connection_id and not copies


def _claims(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(sorted({c.claim_id for c in candidates}))


def verify(face: Face, candidate: Candidate) -> Verdict:
    """Say of one candidate on its rung: `same`, `different`, `doubt`, or `twin` (in one tool)."""
    other = candidate.face
    if face.currency != other.currency or (face.kind in CREDITS) != (other.kind in CREDITS):
        return "different"
    if face.direction != other.direction:
        return "different"
    if candidate.rung == 5:
        return "doubt" if _alike(face, other) else "different"
    verdict = _CHECKS[candidate.rung](face, candidate)
    if verdict == "same" and _beside(face, candidate):
        # One tool with two live rows of one number may hold a double; under two numbers these are
        # two invoices, since an issuer numbers each invoice once (CGI ann. II, 242 nonies A).
        same_number = fold_number(face.number) == fold_number(other.number)
        return "twin" if same_number or candidate.rung == 3 else "different"
    return verdict


def _same_number(face: Face, candidate: Candidate) -> Verdict:
    """Check rung 1; totals may differ: the tools disagree, which is shown, not a second invoice."""
    other = candidate.face
    agree = (
        face.seller_siren is not None
        and face.seller_siren == other.seller_siren
        and fold_number(face.number) == fold_number(other.number)
        and face.issue_date.year == other.issue_date.year
    )
    return "same" if agree else "different"


def _same_document(face: Face, candidate: Candidate) -> Verdict:
    """Check rung 2; one PDF may bundle several invoices, so something else must agree."""
    other = candidate.face
    if face.document_sha256 is None or face.document_sha256 != other.document_sha256:
        return "different"
    if normalise_number(face.number) == normalise_number(other.number):
        return "same"
    if face.total == other.total and close(face, other):
        return "same"
    return "different" if face.connection_id == other.connection_id else "doubt"


def _same_source(face: Face, candidate: Candidate) -> Verdict:
    """Check rung 3: one states the other's record, both state one record, or ours is stated."""
    other = candidate.face
    stated, their_stated = stated_record(face), stated_record(other)
    agree = (
        (stated is not None and (stated in own_records(other) or stated == their_stated))
        or (their_stated is not None and their_stated in own_records(face))
        or (face.lineage is not None and face.lineage[2] == candidate.claim_id)
    )
    return "same" if agree else "different"


def _same_writing(face: Face, candidate: Candidate) -> Verdict:
    """Check rung 4; another seller is another invoice, another known debtor is a doubt.

    So is a seller known by its SIREN here and by a foreign VAT number there.
    """
    other = candidate.face
    normal = normalise_number(face.number)
    if normal != normalise_number(other.number) or not numbered(normal):
        return "different"
    if face.total != other.total or not close(face, other):
        return "different"
    seller = sellers(face, other)
    if seller in ("different", "doubt"):
        return seller
    if face.debtor_key and other.debtor_key and face.debtor_key != other.debtor_key:
        return "doubt"
    return "same"


def _alike(face: Face, other: Face) -> bool:
    """Check rung 5."""
    return (
        face.debtor_key is not None
        and face.debtor_key == other.debtor_key
        and face.total == other.total
        and bool(set(face.due_dates) & set(other.due_dates))
    )


_CHECKS = {1: _same_number, 2: _same_document, 3: _same_source, 4: _same_writing}
