"""The exact bytes of events and heads: one form for each value, so that a hash means one thing."""

from __future__ import annotations

import hashlib
import json
import json.encoder
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""What an event may hold. No float: money is text, as everywhere in JSON here."""

FORMAT = "encaisse-journal/1"
FIRST = "0" * 64
"""What the first event and the first head have before them."""

LARGEST_INTEGER = 2**53 - 1
"""Integers above are not the same number in every JSON reader (RFC 8259 §6)."""


_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Made once: each event is written twice, its body and what its hash covers."""


_quoted = json.encoder.encode_basestring
"""Write one text as `_written` does."""


def canonical(value: JSON) -> str:
    """Write a value in its one form: sorted keys, no spaces, no escapes but JSON's own.

    Raises `ValueError` for what has no safe form: a float, a huge integer, a key that is not text,
    half a surrogate pair, anything JSON does not know.
    """
    _check(value)
    text = _written(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("text with half a surrogate pair has no UTF-8 form") from error
    return text


def _check(value: object) -> None:
    if isinstance(value, (list, tuple)):
        _check_each(cast("Sequence[object]", value))
    elif value is None or isinstance(value, (bool, str)):
        return
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise ValueError("an integer above 2^53 - 1 must be written as text")
    elif isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise ValueError(f"a key of the journal is text, not {type(key).__name__}")
            if type(item) is not str:
                _check(item)
    else:
        raise ValueError(
            f"the journal takes no {type(value).__name__}: money and dates are written as text"
        )


def _check_each(values: Sequence[object]) -> None:
    """Check what a list holds; texts and small integers at once: a set's facts are thousands."""
    for item in values:
        kind = type(item)
        if kind is str:
            continue
        if kind is int and abs(cast("int", item)) <= LARGEST_INTEGER:
            continue
        _check(item)


def event_hash(
    previous: str, *, company_id: str, sequence: int, at: str, kind: str, subject: str, body: str
) -> str:
    """Hash an event onto the one before it. `body` is the canonical text as it is stored."""
    header = (
        f'{{"at":{_quoted(at)},"company":{_quoted(company_id)},"kind":{_quoted(kind)},'
        f'"sequence":{sequence:d},"subject":{_quoted(subject)}}}'
    )  # as `canonical` writes it, whose keys and kinds are known here
    return hashlib.sha256(f"{previous}\n{header}\n{body}".encode()).hexdigest()


def head_message(
    *,
    company_id: str,
    siren: str,
    environment: str,
    sequence: int,
    hash_: str,
    previous_head: str,
    sealed_at: str,
) -> bytes:
    """Give the bytes a head's signature covers: whose chain, up to where, after which head."""
    return canonical(
        {
            "company": company_id,
            "environment": environment,
            "format": FORMAT,
            "hash": hash_,
            "previous_head": previous_head,
            "sealed_at": sealed_at,
            "sequence": sequence,
            "siren": siren,
        }
    ).encode()
