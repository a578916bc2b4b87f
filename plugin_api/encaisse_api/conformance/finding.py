"""Check the look-ups: `Absent` only from a complete search, an error for every doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from encaisse_api.collection import MandateLink
from encaisse_api.conformance.cassette import Interaction
from encaisse_api.conformance.exam import Exam, Interactions
from encaisse_api.conformance.faults import Fault, at
from encaisse_api.conformance.listing import find_listing, promising_more
from encaisse_api.conformance.seat import NotApplicable, Outcome, fail
from encaisse_api.conformance.unheard import states_itself, with_unheard_status
from encaisse_api.conformance.writing import check_receipt
from encaisse_api.errors import PartnerError
from encaisse_api.names import WRITES
from encaisse_api.writing import Absent, Receipt


@dataclass(frozen=True, slots=True)
class Finding:
    """Run one look-up of the exam on any variation of one of its recordings."""

    exam: Exam
    name: str
    arguments: Mapping[str, object]
    recording: Interactions

    @classmethod
    def of(cls, exam: Exam, name: str, when: Literal["absent", "present"]) -> Finding:
        """Read what a look-up was recorded with."""
        if exam.offline:
            raise NotApplicable("no network: nothing comes back")
        write = next(write for write, twin in WRITES.items() if twin == name)
        recording = exam.recording(f"{name}_{when}")
        return cls(exam, name, exam.arguments(name, f"{name}_{when}", write), recording)

    def run(self, recording: Interactions, stuck: Interaction | None = None) -> Outcome:
        """Look up once over these answers."""
        with self.exam.seat(recording, stuck=stuck) as seat:
            return seat.call(self.name, self.arguments)

    def good(self) -> Outcome:
        """Look up as it was recorded, and refuse requests that were not."""
        with self.exam.seat(self.recording) as seat:
            outcome = seat.call(self.name, self.arguments)
            if seat.replay.unrecorded:
                fail(
                    f"{self.name} asks for what was not recorded, so record again: "
                    f"{seat.replay.unrecorded[0]}"
                )
            if seat.replay.unasked:
                fail(
                    f"{self.name} stops before {seat.replay.unasked[0]}: search to the end of "
                    "what was recorded"
                )
        return outcome


def check_absent_is_absent(exam: Exam, name: str) -> None:
    """Require `Absent` from the search before the write."""
    outcome = Finding.of(exam, name, "absent").good()
    if not isinstance(outcome.value, Absent):
        fail(f"{name} before the write {outcome}; Absent was due")


def check_present_is_found(exam: Exam, name: str) -> None:
    """Require a receipt from the search after the write."""
    outcome = Finding.of(exam, name, "present").good()
    if not isinstance(outcome.value, Receipt | MandateLink):
        fail(f"{name} after the write {outcome}; a receipt was due")
    check_receipt(name, next(w for w, twin in WRITES.items() if twin == name), outcome.value)


def check_a_look_up_writes_nothing(exam: Exam, name: str) -> None:
    """Refuse a look-up that makes the request its write makes."""
    write = next(write for write, twin in WRITES.items() if twin == name)
    commits = {i.address for i in exam.recording(write) if i.writes}
    for finding in (Finding.of(exam, name, "absent"), Finding.of(exam, name, "present")):
        if any(i.writes and i.address in commits for i in finding.recording):
            fail(f"{name} makes the very request {write} writes with: a look-up only reads")


def check_doubt_is_never_absence(exam: Exam, name: str, fault: Fault) -> None:
    """Require an error of the contract when any request of the search comes back bad.

    404 too: a search whose empty answer is complete never gives it, so it says that the address is
    wrong or the right was withdrawn.
    """
    tried = 0
    for finding in (Finding.of(exam, name, "absent"), Finding.of(exam, name, "present")):
        for place in range(len(finding.recording)):
            disturbed = at(finding.recording, place, fault)
            if disturbed is None or disturbed == finding.recording:
                continue
            tried += 1
            outcome = finding.run(disturbed)
            if not isinstance(outcome.error, fault.read):
                wanted = " or ".join(error.__name__ for error in fault.read)
                fail(f"{name}, {fault} on request {place + 1}: {outcome}; {wanted} was due")
    if not tried:
        raise NotApplicable(f"{name}: an answer that is no JSON cannot fail with {fault}")


def check_a_truncated_list_is_doubt(exam: Exam, name: str) -> None:
    """Require an error when the list says that more follows and no more comes."""
    finding = Finding.of(exam, name, "absent")
    listing = find_listing(finding.recording)
    if listing is None:
        raise NotApplicable(f"{name} reads one thing, not a list that could stop short")
    last = finding.recording[listing.places[-1]]
    more = promising_more(last)
    if more is None:
        raise NotApplicable(f"{name}: the answer has no word for more to come")
    outcome = finding.run(finding.recording, stuck=more)
    if not isinstance(outcome.error, PartnerError):
        fail(
            f"{name} on a list that stops short: {outcome}; an error was due; read on while "
            "more is promised, and compare with the total"
        )


def check_an_unheard_status_is_no_absence(exam: Exam, name: str) -> None:
    """Require that what stands under an unknown status is neither absent nor posted."""
    finding = Finding.of(exam, name, "present")
    altered = with_unheard_status(finding.recording)
    if altered is None:
        raise NotApplicable(f"{name}: the answer has no state field")
    outcome = finding.run(altered)
    if isinstance(outcome.value, Absent):
        fail(f"{name}: what stands there under a status nobody knows became {outcome}")
    if isinstance(outcome.value, Receipt) and outcome.value.state == "posted":
        ids = (str(finding.arguments["key"]), outcome.value.remote_id, *outcome.value.aliases)
        if states_itself(altered, *ids):
            fail(f"{name}: a status nobody knows became `posted`, `pending` was due: {outcome}")
