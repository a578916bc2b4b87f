"""Check what a pull gives as values: each genuine, named once a page, and a cursor that goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import BaseModel, ValidationError

from encaisse_api.conformance.cassette import Interaction
from encaisse_api.conformance.exam import Exam
from encaisse_api.conformance.listing import Listing, emptied
from encaisse_api.conformance.pulling import Pull
from encaisse_api.conformance.seat import NotApplicable, fail


def check_genuine(name: str, value: object) -> None:
    """Validate a value again: `model_copy` and `model_construct` check nothing they are given."""
    for model in _models(value):
        try:
            type(model).model_validate(model.model_dump(warnings=False))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            fail(
                f"{name} gives a {type(model).__name__} its own constructor refuses: {place}, "
                f"{first['msg']}; build it by its constructor"
            )


def _models(value: object) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
    elif isinstance(value, Mapping):
        yield from _models(list(cast("Mapping[str, object]", value).values()))
    elif isinstance(value, list | tuple):
        for part in cast("list[object]", value):
            yield from _models(part)


def check_items_are_genuine(exam: Exam, name: str) -> None:
    """Require of every page and item that the contract's own constructor takes it."""
    for page in Pull.of(exam, name).good().pages:
        check_genuine(name, page.items)
        check_genuine(name, (page.unreadable, page.removed, page.cursor))


def check_a_page_names_a_thing_once(exam: Exam, name: str) -> None:
    """Refuse one reference twice on a page: the second would overwrite the first in silence."""
    pull = Pull.of(exam, name)
    for number, page in enumerate(pull.good().pages, start=1):
        items = cast("tuple[object, ...]", page.items)
        refs = [getattr(item, "ref", None) or getattr(item, "remote_id", None) for item in items]
        twice = [ref for ref, times in Counter(ref for ref in refs if ref).items() if times > 1]
        if twice:
            fail(
                f"{name}, page {number}: {', '.join(map(str, twice))} stands there twice; give "
                "each item a reference of its own, or raise Drift if the partner repeats itself"
            )


def check_the_cursor_goes_on(exam: Exam, name: str) -> None:
    """Require a second pass from the last cursor to ask from there, and to keep a cursor.

    Nothing has changed in between: the list is empty. Most nights are like that, and a cursor lost
    on one of them means that everything is read again. A snapshot that resumes gives, from each of
    its cursors, the rest of the same pass.
    """
    stream = exam.manifest.streams.get(name.removeprefix("pull_"))
    if stream is not None and stream.resumes:
        _check_the_rest_follows(Pull.of(exam, name))
        return
    if stream is None or stream.mode != "changes":
        raise NotApplicable(f"{name} is no stream of changes: each pass starts anew")
    pull = Pull.of(exam, name)
    listing = pull.listing()
    pages = pull.good().pages
    cursor = pages[-1].cursor if pages else None
    if cursor is None:
        raise NotApplicable(f"{name} leaves no cursor, which fails an exam of its own")
    quiet = _without_rows(listing)
    with exam.seat(pull.recording, stuck=quiet) as seat:
        done = seat.pull(name, {**pull.arguments, "since": cursor})
        asked = [sent for sent in seat.replay.sent if sent.recorded == quiet]
    if done.error or not done.ended:
        fail(f"{name} from its last cursor, nothing having changed: {done}; an `end` was due")
    if done.pages[-1].cursor is None:
        fail(f"{name} from its last cursor loses it where nothing changed: give it back")
    first = pull.recording[listing.places[0]]
    if not asked or (asked[0].url, asked[0].body) == (first.url, first.request_body):
        fail(f"{name} from its last cursor asks for everything again: send the cursor")


def _check_the_rest_follows(pull: Pull) -> None:
    """Cut the pass after each page with a cursor, and require from there what was still due.

    A page read once more, to see that it still stands where it stood, is no fault.
    """
    pages = pull.good().pages
    marked = [number for number, page in enumerate(pages) if page.cursor is not None]
    if not marked:
        fail(f"{pull.name} declares that it resumes, and no page has a cursor")
    for number in marked:
        with pull.exam.seat(pull.recording) as seat:
            done = seat.pull(pull.name, {**pull.arguments, "since": pages[number].cursor})
            asked = len(seat.replay.sent)
        due = [item for page in pages[number + 1 :] for item in page.items]
        if done.error or not done.ended or done.items != due:
            fail(f"{pull.name} from the cursor of page {number + 1}: {done}; {len(due)} were due")
        if number == marked[-1] and asked >= len(pull.recording):
            fail(f"{pull.name} from its last cursor asks for everything again: send the cursor")


def _without_rows(listing: Listing) -> Interaction:
    """Make the last page of a list an empty one, after which nothing follows."""
    last = listing.recording[listing.places[-1]]
    return last.answering(emptied(last.document(), listing.path))
