"""Check the pulls: whole passes, no loop, one bad row, nothing cut short taken for complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from encaisse_api.conformance.cassette import DamagedFile, Interaction
from encaisse_api.conformance.exam import PULLS, Exam, Interactions, read_model
from encaisse_api.conformance.faults import Fault, at
from encaisse_api.conformance.listing import (
    Listing,
    find_listing,
    promising_more,
)
from encaisse_api.conformance.seat import NotApplicable, Pass, fail
from encaisse_api.conformance.unheard import check_unknown, with_unheard_status
from encaisse_api.errors import CursorLost, Drift, PartnerError
from encaisse_api.source import Page


@dataclass(frozen=True, slots=True)
class Pull:
    """Run one pull of the exam on any variation of its recording."""

    exam: Exam
    name: str
    arguments: Mapping[str, object]
    recording: Interactions

    @classmethod
    def of(cls, exam: Exam, name: str) -> Pull:
        """Read what a pull was recorded with."""
        return cls(exam, name, exam.arguments(name), exam.recording(name))

    def run(self, recording: Interactions, stuck: Interaction | None = None) -> Pass:
        """Make one pass over these answers."""
        with self.exam.seat(recording, stuck=stuck) as seat:
            return seat.pull(self.name, self.arguments)

    def good(self) -> Pass:
        """Make the pass as it was recorded."""
        return self.run(self.recording)

    def listing(self) -> Listing:
        """Find the recorded list."""
        if self.exam.offline:
            raise NotApplicable("no network: files are examined by their damaged copy")
        listing = find_listing(self.recording)
        if listing is None:
            raise NotApplicable(f"{self.name}.yaml holds no list in JSON")
        return listing


def check_pass_is_whole(exam: Exam, name: str) -> None:
    """Require a pass to replay, hold the right items, and say `end` once, on its last page."""
    pull = Pull.of(exam, name)
    with exam.seat(pull.recording) as seat:
        done = seat.pull(name, pull.arguments)
        if seat.replay.unrecorded:
            fail(
                f"{name} asks for what was not recorded, so record again: "
                f"{seat.replay.unrecorded[0]}"
            )
        if done.error:
            fail(f"{name} on its own recording: {done}")
        if seat.replay.unasked:
            fail(f"{name} stops before {seat.replay.unasked[0]}: read every page that was recorded")
    if not done.items:
        fail(f"{name} gives no item: record a pass with some")
    for page in cast("list[object]", done.pages):
        if not isinstance(page, Page):
            fail(f"{name} yields {type(page).__name__}, not a Page")
    for item in done.items:
        if not isinstance(item, PULLS[name]):
            fail(f"{name} yields {type(item).__name__}, not {PULLS[name].__name__}")
    if [page.end for page in done.pages] != [False] * (len(done.pages) - 1) + [True]:
        fail(f"{name}: say end=True on the last page of a complete pass, and on no other")
    _check_cursor(exam, name, done.pages)


def _check_cursor(exam: Exam, name: str, pages: list[Page[Any]]) -> None:
    stream = exam.manifest.streams.get(name.removeprefix("pull_"))
    if stream is None:
        return
    marked = any(page.cursor is not None for page in pages)
    if stream.mode == "snapshot" and marked and not stream.resumes:
        fail(f"{name} is a snapshot: its pages have no cursor, unless its stream `resumes`")
    if stream.mode == "changes" and pages[-1].cursor is None:
        fail(f"{name} tells changes: its last page has a cursor to go on from")


def check_paging_twice_gives_the_same(exam: Exam, name: str) -> None:
    """Require equal passes from one instance and from two: nothing is kept in between."""
    pull = Pull.of(exam, name)
    with exam.seat(pull.recording) as seat:
        first = seat.pull(name, pull.arguments)
        seat.replay.rewind()
        second = seat.pull(name, pull.arguments)
    third = pull.good()
    if not (first.items == second.items == third.items):
        fail(
            f"{name} gives other items the second time, so keep nothing between two passes: first "
            f"{first}; then {second}"
        )


def check_a_stuck_partner_is_refused(exam: Exam, name: str) -> None:
    """Require `Drift` or `CursorLost` when the partner gives the same page for ever."""
    pull = Pull.of(exam, name)
    listing = pull.listing()
    filled = listing.filled()
    first = pull.recording[(filled or listing.places)[0]]
    stuck = first if len(filled) > 1 else promising_more(first)
    if stuck is None:
        raise NotApplicable(f"{name}: one page, and no word that could promise another")
    done = pull.run(pull.recording, stuck=stuck)
    if done.ended or not isinstance(done.error, Drift | CursorLost):
        fail(
            f"{name} against a partner that repeats its first page: {done}; refuse a page or a "
            "mark that comes back (Drift, CursorLost)"
        )


def check_one_bad_row_is_set_aside(exam: Exam, name: str) -> None:
    """Require a row that is no row in `unreadable`, and every other row in a page as before."""
    pull = Pull.of(exam, name)
    good = pull.good()
    if exam.offline:
        _check_damaged_files(pull)
        return
    listing = pull.listing()
    shared = [place for place in listing.filled() if len(listing.rows(place)) > 1]
    if not shared:
        raise NotApplicable(f"{name}.yaml has no page of two rows: record one")
    # The last such page, because its rows steer no further request where a page follows by row.
    chosen = ((shared[-1], 0), (shared[-1], 1))
    wrecks: tuple[object, ...] = ({}, "not a row")
    for wreck in wrecks:
        lived: list[object] = []
        for place, index in chosen:
            done = pull.run(listing.with_row(place, index, wreck))
            if done.error or not done.ended:
                fail(
                    f"{name} with the row {wreck!r} among good ones: {done}; one bad row goes "
                    "into `Page.unreadable`, and the pass ends"
                )
            if done.unreadable <= good.unreadable:
                fail(f"{name} loses the row {wreck!r}: put it into `Page.unreadable` ({done})")
            lived += done.items
        if dead := [item for item in good.items if item not in lived]:
            fail(f"{name}: the bad row {wreck!r} takes good ones with it, such as {dead[0]!r}")


def _check_damaged_files(pull: Pull) -> None:
    path = pull.exam.cassettes / f"{pull.name}_damaged.json"
    if not path.is_file():
        raise NotApplicable(f"{path.name} is missing, which fails an exam of its own")
    settings = read_model(DamagedFile, path).settings
    with pull.exam.seat((), settings=settings) as seat:
        done = seat.pull(pull.name, pull.arguments)
    if done.error or not done.items or not done.unreadable:
        fail(f"{pull.name} on files with one bad row: {done}")


def check_no_field_fails_silently(exam: Exam, name: str) -> None:
    """Spoil each field of a row: the row is read or set aside, never dropped, never the page.

    At least one field must be required: a reader that accepts a row without any of its fields
    invents what it needs.
    """
    pull = Pull.of(exam, name)
    listing = pull.listing()
    filled = listing.filled()
    row = listing.rows(filled[0])[0] if filled else None
    if not isinstance(row, dict):
        raise NotApplicable(f"{name}.yaml has no row to spoil")
    fields = cast("dict[str, object]", row)
    good, refused = pull.good(), 0
    for spoilt in fields:
        gone = {field: value for field, value in fields.items() if field != spoilt}
        for variant in (gone, {**fields, spoilt: {"unexpected": [True]}}):
            with exam.seat(listing.with_row(filled[0], 0, variant)) as seat:
                done = seat.pull(name, pull.arguments)
                if seat.replay.unrecorded:
                    continue  # the field steers the next request, which nobody recorded
            if done.error or not done.ended:
                fail(
                    f"{name} with one row's `{spoilt}` spoilt: {done}; read the row without it, or "
                    "put it into `Page.unreadable`"
                )
            if len(done.items) < len(good.items) and done.unreadable <= good.unreadable:
                fail(
                    f"{name} drops the row whose `{spoilt}` is spoilt: put it into "
                    f"`Page.unreadable` ({done})"
                )
            refused += done.unreadable > good.unreadable
    if not refused:
        fail(
            f"{name} accepts a row whichever of its fields is missing or of another type: require "
            "those an item cannot do without"
        )


def check_a_cut_pass_never_ends(exam: Exam, name: str, fault: Fault) -> None:
    """Require an error, and no `end`, when any page of the pass comes back bad."""
    pull = Pull.of(exam, name)
    if exam.offline:
        raise NotApplicable("no network: nothing comes back")
    listing = find_listing(pull.recording)
    places = listing.places if listing else (len(pull.recording) - 1,)
    tried = 0
    for place in places:
        disturbed = at(pull.recording, place, fault)
        if disturbed is None:
            continue
        tried += 1
        done = pull.run(disturbed)
        if done.ended or not isinstance(done.error, fault.read):
            wanted = " or ".join(error.__name__ for error in fault.read)
            fail(f"{name}, {fault} on request {place + 1}: {done}; {wanted} was due")
        _check_sentence(name, done.error)
    if not tried:
        raise NotApplicable(f"{name}: an answer that is no JSON cannot fail with {fault}")


def _check_sentence(name: str, error: Exception | None) -> None:
    if isinstance(error, PartnerError) and not error.message.strip():
        fail(f"{name} raises {type(error).__name__} without a sentence")


def check_fewer_rows_than_the_total_never_end(exam: Exam, name: str) -> None:
    """Require an error when the rows are fewer than the total the partner states."""
    pull = Pull.of(exam, name)
    short = pull.listing().without_last_row()
    if short is None:
        raise NotApplicable(f"{name}: the answers state no total")
    done = pull.run(short)
    if done.ended or not isinstance(done.error, PartnerError):
        fail(f"{name} with a row fewer than the total: {done}; compare them, and raise Drift")


def check_an_unheard_status_is_no_success(exam: Exam, name: str) -> None:
    """Require that an unknown word in a status field gives the unknown state, and nothing else."""
    pull = Pull.of(exam, name)
    altered = with_unheard_status(pull.recording)
    if altered is None:
        raise NotApplicable(f"{name}: the answers have no state field")
    good, done = pull.good(), pull.run(altered)
    check_unknown(name, altered, good.items, done.items)
    for removed in (removed for page in done.pages for removed in page.removed):
        if removed.reason == "paid":
            fail(f"{name}: a status nobody knows removed {removed.ref} as paid")
    if done.error is None and len(done.items) + done.unreadable < len(good.items):
        fail(f"{name} drops rows whose status it does not know: give them as `unknown` ({done})")
