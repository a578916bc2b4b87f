"""Check the writes: what leaves, what protects it, and that doubt is never a receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from encaisse_api.collection import MandateLink
from encaisse_api.conformance.exam import Exam, Interactions
from encaisse_api.conformance.faults import LOST, Fault, at
from encaisse_api.conformance.going_on import check_genuine
from encaisse_api.conformance.listing import nodes, with_value
from encaisse_api.conformance.replay import Sent, same_body
from encaisse_api.conformance.seat import NotApplicable, Outcome, fail
from encaisse_api.conformance.unheard import UNHEARD_OF, is_status
from encaisse_api.errors import OutcomeUnknown
from encaisse_api.names import BLIND, MONEY_WRITES, WRITES
from encaisse_api.writing import Receipt

OTHER_KEY = "enc-0000000000000000000000zzzz"


@dataclass(frozen=True, slots=True)
class Writing:
    """Run one write of the exam on any variation of its recording."""

    exam: Exam
    name: str
    arguments: Mapping[str, object]
    recording: Interactions

    @classmethod
    def of(cls, exam: Exam, name: str) -> Writing:
        """Read what a write was recorded with."""
        if exam.offline:
            raise NotApplicable("no network: a write into files has no reply to lose")
        return cls(exam, name, exam.arguments(name), exam.recording(name))

    @property
    def commit(self) -> int:
        """Give the place of the request that commits: the last one that may change something."""
        changing = [n for n, interaction in enumerate(self.recording) if interaction.writes]
        return changing[-1] if changing else len(self.recording) - 1

    def run(self, recording: Interactions, key: str | None = None) -> tuple[Outcome, list[Sent]]:
        """Write once, and give what came of it with the requests that left."""
        arguments = dict(self.arguments) if key is None else {**self.arguments, "key": key}
        with self.exam.seat(recording) as seat:
            return seat.call(self.name, arguments), list(seat.replay.sent)

    def failing(self, fault: Fault, place: int | None = None) -> Interactions:
        """Give the recording with a fault in the commit, or in another place."""
        disturbed = at(self.recording, self.commit if place is None else place, fault)
        if disturbed is None or disturbed == self.recording:
            raise NotApplicable(f"{self.name}: this answer cannot fail with {fault}")
        return disturbed

    def guarantee(self) -> str:
        """Give the declared guarantee."""
        write = self.exam.manifest.writes.get(self.name)
        return write.guarantee if write else "undeclared"


def check_write_replays(exam: Exam, name: str) -> None:
    """Require a receipt, from the very requests that were recorded."""
    writing = Writing.of(exam, name)
    outcome, sent = writing.run(writing.recording)
    for request in sent:
        if request.recorded is None:
            fail(f"{name} sends what was not recorded, so record again: {request.line}")
        if not _multipart(request) and not same_body(request.recorded.request_body, request.body):
            fail(f"{name}: {request.line} carries {request.body!r}, not what was recorded")
    if not isinstance(outcome.value, Receipt | MandateLink):
        fail(f"{name} on its own recording {outcome}")
    check_receipt(name, name, outcome.value)
    if len(sent) != len(writing.recording):
        fail(f"{name} makes {len(sent)} requests, {len(writing.recording)} were recorded")


def check_receipt(name: str, write: str, value: object) -> None:
    """Require of a receipt that it is genuine, and that one for money states how much."""
    check_genuine(name, value)
    if write in MONEY_WRITES and isinstance(value, Receipt) and value.amount is None:
        fail(f"{name} gives a receipt without an amount: state the one the partner holds")


def _multipart(request: Sent) -> bool:
    return "multipart/" in str(request.headers.get("content-type", ""))


def check_a_failed_write_gives_no_receipt(exam: Exam, name: str, fault: Fault) -> None:
    """Require `OutcomeUnknown` where the request may have been served, never a receipt.

    `Transient` says that nothing was done; it is only taken where that is certain (the partner was
    not reached, or says 429).
    """
    writing = Writing.of(exam, name)
    outcome, _ = writing.run(writing.failing(fault))
    if not isinstance(outcome.error, fault.write):
        wanted = " or ".join(error.__name__ for error in fault.write)
        fail(f"{name}, {fault}: {outcome}; {wanted} was due")


def check_key_guarantee(exam: Exam, name: str) -> None:
    """Require the same Idempotency-Key and equal bodies from two posts, another for another key."""
    writing = Writing.of(exam, name)
    if writing.guarantee() != "key":
        raise NotApplicable(f"{name} declares `{writing.guarantee()}`")
    first, second = (_commit_of(writing, None) for _ in range(2))
    keys = _idempotency(first), _idempotency(second)
    if not keys[0] or keys[0] != keys[1]:
        fail(f"{name} declares `key`, and two posts send the keys {keys[0]} and {keys[1]}")
    if not _multipart(first) and not same_body(first.body, second.body):
        fail(f"{name}: two posts under one key differ: {first.body!r} and {second.body!r}")
    if _idempotency(_commit_of(writing, OTHER_KEY)) == keys[0]:
        fail(f"{name} sends {keys[0]} whatever the key: two payments would count as one")


def _commit_of(writing: Writing, key: str | None) -> Sent:
    _, sent = writing.run(writing.recording, key)
    address = writing.recording[writing.commit].address
    commits = [s for s in sent if (s.method, s.url.host, s.url.path) == address]
    if not commits:
        fail(f"{writing.name} never makes the request that commits, {address[0]} {address[2]}")
    return commits[-1]


def _idempotency(request: Sent) -> list[str]:
    return [value for name, value in request.headers.items() if "idempotency" in name.lower()]


def check_a_lost_reply_is_found(exam: Exam, name: str) -> None:
    """Lose the reply after the commit: the twin then finds the same thing, of the same amount."""
    writing = Writing.of(exam, name)
    if name == BLIND:
        raise NotApplicable(f"{name} has no look-up")
    twin = WRITES[name]
    kept, _ = writing.run(writing.recording)
    lost, _ = writing.run(writing.failing(LOST))
    if not isinstance(lost.error, OutcomeUnknown):
        fail(f"{name} with its reply lost: {lost}; OutcomeUnknown was due")
    recording = exam.recording(f"{twin}_present")
    arguments = exam.arguments(twin, f"{twin}_present", name)
    with exam.seat(recording) as seat:
        found = seat.call(twin, arguments)
    if not _same_thing(kept.value, found.value):
        fail(f"{name} had given {kept}; {twin} after the lost reply {found}")


def _same_thing(kept: object, found: object) -> bool:
    if isinstance(kept, MandateLink) and isinstance(found, MandateLink):
        return kept.remote_id == found.remote_id
    if isinstance(kept, Receipt) and isinstance(found, Receipt):
        same = kept.remote_id == found.remote_id or kept.remote_id in found.aliases
        return same and kept.amount == found.amount
    return False


def check_a_blind_write_asks_once(exam: Exam, name: str, fault: Fault) -> None:
    """Require one request and `OutcomeUnknown` where nothing can be looked up."""
    writing = Writing.of(exam, name)
    if writing.guarantee() != "none":
        raise NotApplicable(f"{name} declares `{writing.guarantee()}`")
    outcome, sent = writing.run(writing.failing(fault))
    address = writing.recording[writing.commit].address
    tries = [s for s in sent if (s.method, s.url.host, s.url.path) == address]
    if len(tries) != 1:
        fail(f"{name}, {fault}: {len(tries)} requests; a second one may pay twice")
    if not isinstance(outcome.error, OutcomeUnknown):
        fail(f"{name}, {fault}: {outcome}; OutcomeUnknown was due")


def check_one_write_commits_once(exam: Exam, name: str, fault: Fault) -> None:
    """Require that a doubtful reply is never answered by sending again: the host decides that."""
    writing = Writing.of(exam, name)
    _, sent = writing.run(writing.failing(fault))
    commit = writing.recording[writing.commit]
    tries = [s for s in sent if s.recorded is None or s.recorded.address == commit.address]
    recorded = [i for i in writing.recording if i.address == commit.address]
    if len([s for s in tries if s.method == commit.method]) > len(recorded):
        fail(f"{name}, {fault}: sent again by the connector; leave that to the host")


def check_an_unheard_status_posts_nothing(exam: Exam, name: str) -> None:
    """Require that an unknown word in the reply's own state is not taken for `posted`."""
    writing = Writing.of(exam, name)
    commit = writing.recording[writing.commit]
    document = commit.document()
    words = [
        path
        for path, value in nodes(document)
        if path and is_status(path[-1]) and len(path) <= 2 and isinstance(value, str)
    ]
    if not words:
        raise NotApplicable(f"{name}: the reply has no state field")
    for path in words:
        document = with_value(document, path, UNHEARD_OF)
    place = writing.commit
    before, after = writing.recording[:place], writing.recording[place + 1 :]
    outcome, _ = writing.run((*before, commit.answering(document), *after))
    if isinstance(outcome.value, Receipt) and outcome.value.state == "posted":
        fail(f"{name}: a status nobody knows became {outcome.value!r}; `pending` was due")
