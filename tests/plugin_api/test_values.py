"""What a value of the contract holds, whoever wrote it."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import ValidationError

from encaisse_api import Delivery, Missing, Token


def test_blanks_around_a_text_are_dropped() -> None:
    assert Missing(ref=" i-1\t\n").ref == "i-1"
    assert Missing(ref="deux\nlignes").ref == "deux\nlignes"


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u00a0", "i\x001", "\x00", "i" * 513])
def test_a_text_that_says_nothing_or_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Missing(ref=text)


def test_a_partners_mark_may_be_long_and_stays_as_it_is() -> None:
    mark = " " + "m" * 4095
    assert Token(value=mark).value == mark
    with pytest.raises(ValidationError):
        Token(value="m" * 4097)


def test_a_delivery_knows_the_instant_it_came() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Delivery(headers=(), body=b"", received_at=datetime(2026, 3, 2))  # noqa: DTZ001
