"""The exam as a pytest class: two attributes, every rule a test, every skip with its reason."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from encaisse_api.conformance import (
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
    GATEWAY,
    HTML_PAGE,
    LOOKUP_FAULTS,
    LOST,
    PULL_FAULTS,
    READ_FAULTS,
    SERVER_ERROR,
    WRITE_FAULTS,
    Fault,
)
from encaisse_api.conformance.seat import ExamFailed, NotApplicable
from encaisse_api.names import BLIND

DOUBTS = (LOST, SERVER_ERROR, GATEWAY, HTML_PAGE)
_FAULTS: dict[str, tuple[Fault, ...]] = {
    "pull": PULL_FAULTS,
    "read": READ_FAULTS,
    "write": WRITE_FAULTS,
    "twin": LOOKUP_FAULTS,
}
_WORDS = {
    "pull": "pull",
    "read": "single read",
    "write": "write",
    "twin": "look-up",
    "blind": "blind write",
}


def _told(rule: Callable[..., None], message: str) -> str:
    """Say what is wrong first, then which rule asks for more, and where it stands."""
    why = inspect.cleandoc(rule.__doc__ or "")
    place = f"{rule.__module__}.{rule.__name__}"
    return f"{message}.\n\nThe rule ({place}):\n{why}"


class ConnectorContract:
    """Examine one connector: give the class and the folder of its recordings.

    The folder's format is described in `encaisse_api.conformance`.
    """

    connector: ClassVar[type]
    cassettes: ClassVar[Path]

    @property
    def exam(self) -> Exam:
        """Give the exam of this connector."""
        return Exam(self.connector, self.cassettes)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each method of the class a rule concerns, and each fault."""
        exam = Exam(self.connector, self.cassettes)
        able: dict[str, Sequence[str]] = {
            "pull": exam.pulls,
            "read": exam.reads,
            "write": exam.writes,
            "twin": exam.twins,
            "blind": [write for write in exam.writes if write == BLIND],
        }
        for kind, names in able.items():
            if kind in metafunc.fixturenames:
                reason = f"{exam.connector.__name__} has no {_WORDS[kind]}"
                none = pytest.param("", marks=pytest.mark.skip(reason=reason), id="none")
                metafunc.parametrize(kind, names or [none])
                if "fault" in metafunc.fixturenames:
                    metafunc.parametrize(
                        "fault", _FAULTS[kind] if names else _FAULTS[kind][:1], ids=str
                    )
        if "doubt" in metafunc.fixturenames:
            none_to_ask = "blind" in metafunc.fixturenames and not able["blind"]
            metafunc.parametrize("doubt", DOUBTS[:1] if none_to_ask else DOUBTS, ids=str)

    def _check(self, rule: Callable[..., None], *arguments: object) -> None:
        broken = ""
        try:
            rule(self.exam, *arguments)
        except NotApplicable as reason:
            pytest.skip(str(reason))
        except ExamFailed as failed:
            broken = str(failed)
        if broken:  # without a traceback: what broke is in the connector, not in the exam
            pytest.fail(_told(rule, broken), pytrace=False)

    def test_every_role_is_whole(self) -> None:
        self._check(declared.check_roles_are_whole)

    def test_every_method_has_the_parameters_of_its_role(self) -> None:
        self._check(declared.check_signatures)

    def test_every_write_declares_its_guarantee(self) -> None:
        self._check(declared.check_declared_writes)

    def test_every_pull_declares_its_stream(self) -> None:
        self._check(declared.check_declared_streams)

    def test_webhooks_are_declared(self) -> None:
        self._check(declared.check_webhooks_are_declared)

    def test_the_manifest_holds_together(self) -> None:
        self._check(declared.check_the_manifest_holds_together)

    def test_the_manifest_names_every_host(self) -> None:
        self._check(declared.check_hosts_are_declared)

    def test_the_environment_chooses_the_host(self) -> None:
        self._check(declared.check_the_environment_chooses_the_host)

    def test_the_manifest_cites_its_source(self) -> None:
        self._check(declared.check_the_manifest_cites_its_source)

    def test_no_credential_was_recorded(self) -> None:
        self._check(declared.check_no_credential_was_recorded)

    def test_secrets_stay_with_the_host(self) -> None:
        self._check(declared.check_secrets_stay_with_the_host)

    def test_every_recording_is_there(self) -> None:
        self._check(declared.check_recordings_are_complete)

    def test_a_pass_is_whole(self, pull: str) -> None:
        self._check(pulling.check_pass_is_whole, pull)

    def test_paging_twice_gives_the_same_items(self, pull: str) -> None:
        self._check(pulling.check_paging_twice_gives_the_same, pull)

    def test_every_item_is_genuine(self, pull: str) -> None:
        self._check(going_on.check_items_are_genuine, pull)

    def test_a_page_names_a_thing_once(self, pull: str) -> None:
        self._check(going_on.check_a_page_names_a_thing_once, pull)

    def test_the_cursor_goes_on(self, pull: str) -> None:
        self._check(going_on.check_the_cursor_goes_on, pull)

    def test_a_partner_that_repeats_a_page_is_refused(self, pull: str) -> None:
        self._check(pulling.check_a_stuck_partner_is_refused, pull)

    def test_one_bad_row_is_set_aside_and_the_page_lives(self, pull: str) -> None:
        self._check(pulling.check_one_bad_row_is_set_aside, pull)

    def test_no_spoilt_field_drops_a_row_silently(self, pull: str) -> None:
        self._check(pulling.check_no_field_fails_silently, pull)

    def test_a_pass_cut_short_never_ends(self, pull: str, fault: Fault) -> None:
        self._check(pulling.check_a_cut_pass_never_ends, pull, fault)

    def test_fewer_rows_than_the_total_never_end(self, pull: str) -> None:
        self._check(pulling.check_fewer_rows_than_the_total_never_end, pull)

    def test_an_unheard_status_in_a_pull_is_no_success(self, pull: str) -> None:
        self._check(pulling.check_an_unheard_status_is_no_success, pull)

    def test_a_read_gives_the_recorded_answer(self, read: str) -> None:
        self._check(reading.check_read_answers, read)

    def test_a_failed_read_raises(self, read: str, fault: Fault) -> None:
        self._check(reading.check_a_failed_read_raises, read, fault)

    def test_an_unheard_status_in_a_read_is_no_success(self, read: str) -> None:
        self._check(reading.check_an_unheard_status_is_no_success, read)

    def test_a_write_sends_what_was_recorded(self, write: str) -> None:
        self._check(writing.check_write_replays, write)

    def test_a_failed_write_gives_no_receipt(self, write: str, fault: Fault) -> None:
        self._check(writing.check_a_failed_write_gives_no_receipt, write, fault)

    def test_a_doubtful_reply_is_not_sent_again(self, write: str, doubt: Fault) -> None:
        self._check(writing.check_one_write_commits_once, write, doubt)

    def test_two_posts_under_one_key_are_one(self, write: str) -> None:
        self._check(writing.check_key_guarantee, write)

    def test_a_lost_reply_is_found_again(self, write: str) -> None:
        self._check(writing.check_a_lost_reply_is_found, write)

    def test_a_blind_write_asks_once(self, blind: str, doubt: Fault) -> None:
        self._check(writing.check_a_blind_write_asks_once, blind, doubt)

    def test_an_unheard_status_in_a_reply_posts_nothing(self, write: str) -> None:
        self._check(writing.check_an_unheard_status_posts_nothing, write)

    def test_a_look_up_before_the_write_is_absent(self, twin: str) -> None:
        self._check(finding.check_absent_is_absent, twin)

    def test_a_look_up_after_the_write_finds_it(self, twin: str) -> None:
        self._check(finding.check_present_is_found, twin)

    def test_a_look_up_writes_nothing(self, twin: str) -> None:
        self._check(finding.check_a_look_up_writes_nothing, twin)

    def test_doubt_is_never_absence(self, twin: str, fault: Fault) -> None:
        self._check(finding.check_doubt_is_never_absence, twin, fault)

    def test_a_list_that_stops_short_is_doubt(self, twin: str) -> None:
        self._check(finding.check_a_truncated_list_is_doubt, twin)

    def test_an_unheard_status_in_a_look_up_is_no_absence(self, twin: str) -> None:
        self._check(finding.check_an_unheard_status_is_no_absence, twin)

    def test_a_spoilt_row_is_doubt(self, twin: str) -> None:
        self._check(present.check_a_spoilt_row_is_doubt, twin)

    def test_another_amount_is_a_conflict(self, twin: str) -> None:
        self._check(present.check_another_amount_is_a_conflict, twin)

    def test_two_rows_under_one_key_are_a_conflict(self, twin: str) -> None:
        self._check(present.check_two_rows_are_a_conflict, twin)

    def test_a_delivery_gives_hints(self) -> None:
        self._check(delivering.check_hints)

    def test_a_delivery_without_sense_gives_no_hint(self) -> None:
        self._check(delivering.check_nonsense_gives_no_hint)

    def test_a_signed_delivery_is_accepted(self) -> None:
        self._check(delivering.check_signature_is_accepted)

    def test_a_flipped_byte_is_refused(self) -> None:
        self._check(delivering.check_a_flipped_byte_is_refused)

    def test_a_stale_delivery_is_refused(self) -> None:
        self._check(delivering.check_a_stale_timestamp_is_refused)

    def test_a_moved_timestamp_is_refused(self) -> None:
        self._check(delivering.check_a_moved_timestamp_is_refused)

    def test_two_secrets_are_accepted_during_rotation(self) -> None:
        self._check(delivering.check_two_secrets_during_rotation)
