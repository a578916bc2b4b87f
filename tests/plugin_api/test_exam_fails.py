"""Each rule of the exam is broken on purpose, and the exam says so."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from tests.plugin_api import toy_broken as broken
from tests.plugin_api.toy import MANIFEST, ToyConnector

from encaisse_api import Delivery, NoAuth, SealedFormAuth, Stream, WebhookScheme, Write
from encaisse_api.conformance import (
    contract,
    declared,
    delivering,
    finding,
    going_on,
    present,
    pulling,
    reading,
    writing,
)
from encaisse_api.conformance.exam import Exam
from encaisse_api.conformance.faults import (
    CUT_JSON,
    DENIED,
    EMPTY_BODY,
    EMPTY_OBJECT,
    HOSTS_DENIED,
    HOSTS_UNKNOWN,
    HTML_PAGE,
    LOOKUP_FAULTS,
    LOST,
    NOT_FOUND,
    READ_FAULTS,
    SERVER_ERROR,
)
from encaisse_api.conformance.seat import ExamFailed
from encaisse_api.webhooks import Unverified, verify

RECORDED = Path(__file__).parent / "cassettes"
Rule = Callable[..., None]


@dataclass(frozen=True)
class Case:
    """Name a rule, a connector that breaks it, and the method (and fault) it breaks it in."""

    rule: Rule
    connector: type
    arguments: tuple[object, ...] = ()
    says: str = ""

    def __str__(self) -> str:
        words = (self.rule.__name__, self.connector.__name__, *map(str, self.arguments))
        return "-".join(words)


fewer_writes = {k: v for k, v in MANIFEST.writes.items() if k != "record_payment"}
more_writes = {**MANIFEST.writes, "letter": Write(guarantee="lookup")}
blind_key = {**MANIFEST.writes, "record_payment": Write(guarantee="none")}
other_streams = {"invoices": Stream(mode="snapshot")}

CASES = [
    Case(declared.check_roles_are_whole, broken.HalfRole, says="find_payment"),
    Case(declared.check_signatures, broken.SwappedParameters, says="references"),
    Case(
        declared.check_declared_writes, broken.declaring(writes=fewer_writes), says="no guarantee"
    ),
    Case(declared.check_declared_writes, broken.declaring(writes=more_writes), says="letter"),
    Case(declared.check_declared_writes, broken.declaring(writes=blind_key), says="none"),
    Case(declared.check_declared_streams, broken.declaring(streams=other_streams), says="payouts"),
    Case(declared.check_signatures, broken.WithoutContext, says="context"),
    Case(
        declared.check_webhooks_are_declared, broken.declaring(webhook=None), says="unsigned=True"
    ),
    Case(
        declared.check_the_manifest_holds_together,
        broken.declaring(settings=()),
        says="secret=True",
    ),
    Case(
        declared.check_hosts_are_declared,
        broken.declaring(test_hosts=("other.example.org",), live_hosts=(), auth=NoAuth()),
        says="api.toy.example.org",
    ),
    Case(declared.check_the_manifest_cites_its_source, broken.declaring(pages=())),
    Case(declared.check_the_manifest_cites_its_source, broken.declaring(pages=("a page",))),
    Case(
        declared.check_the_environment_chooses_the_host,
        broken.KnowsOneHost,
        says="`context.hosts`",
    ),
    Case(declared.check_secrets_stay_with_the_host, broken.AsksForItsSecret, says="token"),
    Case(pulling.check_pass_is_whole, broken.EndsEveryPage, ("pull_invoices",), "end=True"),
    Case(pulling.check_pass_is_whole, broken.FirstPageOnly, ("pull_invoices",), "stops before"),
    Case(pulling.check_pass_is_whole, broken.SnapshotWithCursor, ("pull_progress",), "snapshot"),
    Case(
        going_on.check_the_cursor_goes_on,
        broken.declaring(
            streams={**MANIFEST.streams, "progress": Stream(mode="snapshot", resumes=True)}
        ),
        ("pull_progress",),
        "from the cursor of page 2",
    ),
    Case(pulling.check_paging_twice_gives_the_same, broken.RemembersRows, ("pull_invoices",)),
    Case(
        going_on.check_items_are_genuine,
        broken.PatchesItsItems,
        ("pull_invoices",),
        "its own constructor refuses",
    ),
    Case(reading.check_read_answers, broken.PatchesItsItems, ("read_invoices",)),
    Case(going_on.check_a_page_names_a_thing_once, broken.SaysItTwice, ("pull_invoices",), "twice"),
    Case(
        going_on.check_the_cursor_goes_on,
        broken.IgnoresItsCursor,
        ("pull_progress",),
        "send the cursor",
    ),
    Case(
        going_on.check_the_cursor_goes_on,
        broken.LosesItsCursorOnAQuietNight,
        ("pull_progress",),
        "give it back",
    ),
    Case(going_on.check_the_cursor_goes_on, broken.DislikesQuietNights, ("pull_payouts",), "due"),
    Case(
        pulling.check_a_stuck_partner_is_refused,
        broken.TrustsTheNextMark,
        ("pull_invoices",),
        "goes on asking",
    ),
    Case(pulling.check_a_stuck_partner_is_refused, broken.TrustsTheNextMark, ("pull_payouts",)),
    Case(pulling.check_a_stuck_partner_is_refused, broken.SwallowsAndAsksAgain, ("pull_invoices",)),
    Case(pulling.check_a_stuck_partner_is_refused, broken.StopsAtARepeatedPage, ("pull_invoices",)),
    Case(pulling.check_one_bad_row_is_set_aside, broken.OneBadRowKillsThePage, ("pull_invoices",)),
    Case(pulling.check_one_bad_row_is_set_aside, broken.DropsBadRows, ("pull_invoices",), "loses"),
    Case(
        pulling.check_one_bad_row_is_set_aside,
        broken.BadRowTakesItsPage,
        ("pull_invoices",),
        "takes good ones",
    ),
    Case(pulling.check_no_field_fails_silently, broken.OneBadRowKillsThePage, ("pull_invoices",)),
    Case(pulling.check_no_field_fails_silently, broken.DropsRowsItCannotName, ("pull_invoices",)),
    Case(
        pulling.check_no_field_fails_silently,
        broken.InventsWhatIsMissing,
        ("pull_payouts",),
        "accepts a row",
    ),
    *(
        Case(pulling.check_a_cut_pass_never_ends, broken.EmptyMeansEnd, ("pull_invoices", fault))
        for fault in (LOST, SERVER_ERROR, HTML_PAGE, EMPTY_BODY, EMPTY_OBJECT, CUT_JSON)
    ),
    *(
        Case(
            pulling.check_a_cut_pass_never_ends, broken.DeniedIsTransient, ("pull_invoices", fault)
        )
        for fault in (DENIED, HOSTS_DENIED)
    ),
    *(
        Case(pulling.check_pass_is_whole, connector, ("pull_invoices",), says)
        for connector, says in (
            (broken.Sleeps, "retry_after"),
            (broken.OpensItsOwnClient, "context.http"),
            (broken.AsksForTheDay, "reads the clock (`today`)"),
            (broken.AsksForTheTime, "reads the clock (`time`)"),
        )
    ),
    Case(reading.check_read_answers, broken.IsBuiltOnTheClock, ("probe",), "__init__ reads"),
    Case(pulling.check_a_cut_pass_never_ends, broken.LeaksTransportErrors, ("pull_invoices", LOST)),
    Case(
        pulling.check_fewer_rows_than_the_total_never_end,
        broken.TrustsTheNextMark,
        ("pull_invoices",),
    ),
    *(
        Case(pulling.check_an_unheard_status_is_no_success, connector, (pull,), "nobody knows")
        for connector, pull in (
            (broken.UnknownIsSettled, "pull_invoices"),
            (broken.UnknownIsOpen, "pull_invoices"),
            (broken.UnknownIsCancelled, "pull_invoices"),
            (broken.UnknownOwesNothing, "pull_invoices"),
            (broken.UnknownIsReversed, "pull_payments_collected"),
            (broken.UnknownIsVerified, "pull_payments_collected"),
            (broken.UnknownIsExecuted, "pull_payouts"),
            (broken.UnknownIsClosed, "pull_progress"),
        )
    ),
    Case(
        pulling.check_an_unheard_status_is_no_success,
        broken.DropsUnknownStatuses,
        ("pull_invoices",),
        "drops",
    ),
    Case(reading.check_read_answers, broken.ReadsInItsOwnOrder, ("read_invoices",)),
    *(
        Case(
            reading.check_a_failed_read_raises,
            broken.AnswersMissingToAnything,
            ("read_invoices", fault),
        )
        for fault in READ_FAULTS
    ),
    Case(reading.check_an_unheard_status_is_no_success, broken.UnknownIsSigned, ("read_mandate",)),
    *(
        Case(reading.check_an_unheard_status_is_no_success, connector, ("read_invoices",))
        for connector in (broken.UnknownIsSettled, broken.UnknownIsOpen, broken.UnknownOwesNothing)
    ),
    Case(writing.check_write_replays, broken.SendsAnotherAmount, ("record_payment",), "recorded"),
    Case(
        writing.check_write_replays,
        broken.ReceiptWithoutAmount,
        ("record_payment",),
        "without an amount",
    ),
    Case(
        finding.check_present_is_found,
        broken.ReceiptWithoutAmount,
        ("find_payment",),
        "without an amount",
    ),
    *(
        Case(writing.check_a_failed_write_gives_no_receipt, connector, ("record_payment", fault))
        for connector in (broken.TakesDoubtForDone, broken.TakesDoubtForNothingDone)
        for fault in (LOST, SERVER_ERROR, HTML_PAGE, HOSTS_UNKNOWN)
    ),
    Case(writing.check_one_write_commits_once, broken.SendsAgain, ("record_payment", LOST)),
    Case(writing.check_key_guarantee, broken.SendsNoKey, ("request_mandate",), "send the keys"),
    Case(writing.check_key_guarantee, broken.NewKeyEachTime, ("request_mandate",), "send the keys"),
    Case(writing.check_key_guarantee, broken.OneKeyForAll, ("request_mandate",), "whatever"),
    Case(writing.check_key_guarantee, broken.NewBodyEachTime, ("request_mandate",), "differ"),
    Case(writing.check_a_lost_reply_is_found, broken.FindsAnotherAmount, ("record_payment",)),
    Case(writing.check_a_lost_reply_is_found, broken.MandateWithoutId, ("request_mandate",)),
    Case(writing.check_a_lost_reply_is_found, broken.TakesDoubtForDone, ("record_payment",)),
    Case(writing.check_a_blind_write_asks_once, broken.SendsAgain, ("record_payment_blind", LOST)),
    Case(
        writing.check_an_unheard_status_posts_nothing, broken.UnknownIsPosted, ("record_payment",)
    ),
    Case(finding.check_absent_is_absent, broken.NeverAbsent, ("find_payment",)),
    Case(finding.check_present_is_found, broken.AlwaysAbsent, ("find_payment",)),
    Case(
        finding.check_doubt_is_never_absence, broken.NotFoundIsAbsent, ("find_payment", NOT_FOUND)
    ),
    *(
        Case(finding.check_doubt_is_never_absence, broken.NoAnswerIsAbsent, ("find_payment", fault))
        for fault in LOOKUP_FAULTS
    ),
    Case(finding.check_a_truncated_list_is_doubt, broken.FirstPageOfTheSearch, ("find_payment",)),
    Case(finding.check_an_unheard_status_is_no_absence, broken.KnowsOnlyPosted, ("find_payment",)),
    Case(
        finding.check_an_unheard_status_is_no_absence,
        broken.UnknownIsPosted,
        ("find_payment",),
        "`pending` was due",
    ),
    Case(
        present.check_a_spoilt_row_is_doubt,
        broken.SkipsRowsItCannotRead,
        ("find_payment",),
        "missing from the row",
    ),
    Case(present.check_a_spoilt_row_is_doubt, broken.ChokesOnARow, ("find_payment",)),
    *(
        Case(present.check_another_amount_is_a_conflict, connector, ("find_payment",), "Conflict")
        for connector in (broken.TakesTheFirstRow, broken.EchoesTheAmount)
    ),
    *(
        Case(present.check_two_rows_are_a_conflict, connector, (twin,), "two rows under one key")
        for connector, twin in (
            (broken.TakesTheFirstRow, "find_payment"),
            (broken.TakesTheFirstMandate, "find_mandate"),
        )
    ),
    Case(delivering.check_hints, broken.HintsAtNothing, says="no stream"),
    Case(delivering.check_hints, broken.PullsWhileReading, says="makes a request"),
    Case(delivering.check_nonsense_gives_no_hint, broken.HintsAnyway),
    Case(
        delivering.check_signature_is_accepted,
        broken.declaring(webhook=WebhookScheme(header="Toy-Signature", signed="{t}:{body}")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_broken_rule_is_noticed(case: Case) -> None:
    broken.RemembersRows.seen.clear()
    with pytest.raises(ExamFailed) as failed:
        case.rule(Exam(case.connector, RECORDED), *case.arguments)
    assert case.says in str(failed.value)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_toy_keeps_the_rule_that_was_broken(case: Case) -> None:
    case.rule(Exam(ToyConnector, RECORDED), *case.arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDED, tmp_path / "toy"))


def test_a_missing_recording_is_noticed(folder: Path) -> None:
    (folder / "find_payment_present.yaml").unlink()
    with pytest.raises(ExamFailed, match=r"lacks find_payment_present\.yaml"):
        declared.check_recordings_are_complete(Exam(ToyConnector, folder))


def test_a_misspelt_recording_is_noticed(folder: Path) -> None:
    (folder / "pull_invoice.yaml").write_text("version: 1\n")
    with pytest.raises(ExamFailed, match=r"pull_invoice\.yaml name no method"):
        declared.check_recordings_are_complete(Exam(ToyConnector, folder))


def test_a_recorded_credential_is_noticed(folder: Path) -> None:
    recording = folder / "probe.yaml"
    text = recording.read_text().replace("accept:", "Authorization:")
    recording.write_text(text)
    with pytest.raises(ExamFailed, match="authorization"):
        declared.check_no_credential_was_recorded(Exam(ToyConnector, folder))


def test_a_secret_in_the_context_is_noticed(folder: Path) -> None:
    path = folder / "context.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "settings": {"token": "t"}}))
    with pytest.raises(ExamFailed, match="token, which is secret"):
        declared.check_secrets_stay_with_the_host(Exam(ToyConnector, folder))


def test_a_look_up_that_writes_is_noticed(folder: Path) -> None:
    shutil.copy(folder / "record_payment.yaml", folder / "find_payment_absent.yaml")
    with pytest.raises(ExamFailed, match="the very request record_payment writes with"):
        finding.check_a_look_up_writes_nothing(Exam(ToyConnector, folder), "find_payment")


Verify = Callable[[WebhookScheme, Sequence[str], Delivery, datetime], None]


def accept_any_body(s: WebhookScheme, keys: Sequence[str], d: Delivery, now: datetime) -> None:
    try:
        verify(s, keys, d, now)
    except Unverified as refused:
        if "signature" not in str(refused):
            raise


def accept_any_age(s: WebhookScheme, keys: Sequence[str], d: Delivery, now: datetime) -> None:
    verify(s, keys, d, d.received_at)


def know_one_secret(s: WebhookScheme, keys: Sequence[str], d: Delivery, now: datetime) -> None:
    verify(s, keys[:1], d, now)


CARELESS: list[tuple[Rule, Verify]] = [
    (delivering.check_a_flipped_byte_is_refused, accept_any_body),
    (delivering.check_a_stale_timestamp_is_refused, accept_any_age),
    (delivering.check_a_moved_timestamp_is_refused, accept_any_body),
    (delivering.check_two_secrets_during_rotation, know_one_secret),
]


@pytest.mark.parametrize(("rule", "careless"), CARELESS)
def test_a_careless_verification_is_noticed(
    rule: Rule, careless: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "verify", careless)
    with pytest.raises(ExamFailed):
        rule(Exam(ToyConnector, RECORDED))


def every_rule() -> set[Rule]:
    return {
        function
        for room in (declared, delivering, finding, going_on, present, pulling, reading, writing)
        for name, function in inspect.getmembers(room, inspect.isfunction)
        if name.startswith("check_")
        and "exam" in inspect.signature(function).parameters
        and function.__module__ == room.__name__
    }


def test_a_snapshot_that_resumes_says_where_it_stands() -> None:
    resuming = {**MANIFEST.streams, "invoices": Stream(mode="snapshot", resumes=True)}
    exam = Exam(broken.declaring(streams=resuming), RECORDED)
    with pytest.raises(ExamFailed, match="no page has a cursor"):
        going_on.check_the_cursor_goes_on(exam, "pull_invoices")


def test_a_sealed_field_in_a_recording_is_noticed(folder: Path) -> None:
    auth = SealedFormAuth(
        token="token", secret="token", sealed_field="sealed", cipher="rijndael128-cfb8-md5"
    )
    recording = folder / "probe.yaml"
    recording.write_text(recording.read_text().replace("body: ''", "body: token=t&sealed=c2M=", 1))
    with pytest.raises(ExamFailed, match="sealed, token"):
        declared.check_no_credential_was_recorded(Exam(broken.declaring(auth=auth), folder))


def test_every_rule_was_seen_to_fail() -> None:
    broken_above = {case.rule for case in CASES} | {rule for rule, _ in CARELESS}
    broken_above |= {
        declared.check_recordings_are_complete,
        declared.check_no_credential_was_recorded,
        finding.check_a_look_up_writes_nothing,
    }
    assert every_rule() == broken_above


def test_every_rule_is_part_of_the_exam() -> None:
    exam = inspect.getsource(contract.ConnectorContract)
    asked = {f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}" for rule in every_rule()}
    assert {name for name in asked if f"({name}" not in exam} == set()


class Broken(contract.ConnectorContract):
    connector = broken.FirstPageOnly
    cassettes = RECORDED


def test_a_failure_says_what_to_change_and_which_rule_asks_for_it() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        Broken().test_a_pass_is_whole("pull_invoices")
    first, _, rest = str(failed.value).partition("\n\n")
    assert first == (
        "pull_invoices stops before GET https://api.toy.example.org/v1/invoices?cursor=p2: "
        "read every page that was recorded."
    )
    assert rest.startswith("The rule (encaisse_api.conformance.pulling.check_pass_is_whole):\nReq")
    assert failed.value.pytrace is False


@pytest.mark.parametrize("name", ["context.json", "record_payment.json"])
def test_a_misspelt_field_beside_a_recording_is_noticed(folder: Path, name: str) -> None:
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**content, "acount": "d-42"}))
    with pytest.raises(ExamFailed, match=f"{name} is not as .* describes it"):
        writing.check_write_replays(Exam(ToyConnector, folder), "record_payment")
