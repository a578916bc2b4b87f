"""What is remembered of rows is bounded, and what is met every night stays."""

from __future__ import annotations

from encaisse_api.remembered import Remembered


def test_little_is_kept_and_what_is_asked_for_every_night_stays() -> None:
    kept = Remembered[int](8)
    for number in range(100):
        kept.keep(kept.key(number), number)
        assert kept.get(kept.key(0)) == 0
    held = sum(kept.get(kept.key(number)) is not None for number in range(100))
    assert 8 <= held <= 16
