"""Check the single reads: the recorded answer, and nothing that looks like one when it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from encaisse_api.conformance.exam import Exam, protocol_of
from encaisse_api.conformance.faults import Fault, at
from encaisse_api.conformance.going_on import check_genuine
from encaisse_api.conformance.seat import NotApplicable, Outcome, fail
from encaisse_api.conformance.unheard import check_unknown, with_unheard_status
from encaisse_api.errors import PartnerError
from encaisse_api.source import Missing, SourceInvoice


def check_read_answers(exam: Exam, name: str) -> None:
    """Require the recorded answer, of the type the role gives it."""
    arguments = exam.arguments(name)
    with exam.seat(exam.recording(name)) as seat:
        outcome = seat.call(name, arguments)
        if seat.replay.unrecorded:
            fail(f"{name} asks for what was not recorded: {seat.replay.unrecorded[0]}")
    if outcome.error:
        fail(f"{name} on its own recording {outcome}")
    hint = get_type_hints(getattr(protocol_of(name), name))["return"]
    try:
        TypeAdapter[Any](hint).validate_python(outcome.value)
    except ValidationError as error:
        fail(f"{name} {outcome}, which is not what its role promises: {error}")
    check_genuine(name, outcome.value)
    if name == "read_invoices":
        _check_one_answer_each(arguments, outcome)


def _check_one_answer_each(arguments: Mapping[str, object], outcome: Outcome) -> None:
    asked = list(cast("Sequence[str]", arguments["refs"]))
    answers = cast("Sequence[SourceInvoice | Missing]", outcome.value)
    if not asked:
        fail("read_invoices.yaml asks for no ref that pull_invoices gives")
    if [answer.ref for answer in answers] != asked:
        fail(f"read_invoices asked for {asked} answers {[answer.ref for answer in answers]}")


def check_a_failed_read_raises(exam: Exam, name: str, fault: Fault) -> None:
    """Require an error of the contract, never an answer, when the partner fails."""
    if exam.offline:
        raise NotApplicable("no network: nothing comes back")
    recording, arguments = exam.recording(name), exam.arguments(name)
    tried = 0
    for place in range(len(recording)):
        disturbed = at(recording, place, fault)
        if disturbed is None or disturbed[place] == recording[place]:
            continue
        tried += 1
        with exam.seat(disturbed) as seat:
            outcome = seat.call(name, arguments)
        if not isinstance(outcome.error, fault.read):
            wanted = " or ".join(error.__name__ for error in fault.read)
            fail(f"{name}, {fault} on request {place + 1}: {outcome}; {wanted} was due")
    if not tried:
        raise NotApplicable(f"{name}: an answer that is no JSON cannot fail with {fault}")


def check_an_unheard_status_is_no_success(exam: Exam, name: str) -> None:
    """Require that an unknown word in a status field signs, settles, opens and posts nothing."""
    recording, arguments = exam.recording(name), exam.arguments(name)
    altered = with_unheard_status(recording)
    if altered is None:
        raise NotApplicable(f"{name}: the answers have no state field")
    with exam.seat(recording) as seat:
        good = seat.call(name, arguments)
    with exam.seat(altered) as seat:
        outcome = seat.call(name, arguments)
    if outcome.error is not None and not isinstance(outcome.error, PartnerError):
        fail(f"{name} with an unknown status {outcome}")
    check_unknown(name, altered, _answers(good), _answers(outcome))


def _answers(outcome: Outcome) -> Sequence[object]:
    value = outcome.value
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else [value]
