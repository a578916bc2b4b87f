"""Short names for ids: the last characters of an id, as many as keep it apart from the others.

An id is `<kind>_<ULID>`; its first characters are the time, which neighbours share, so the end is
what tells them apart. A person may type any unambiguous beginning or end of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table, select

from encaisse_core.errors import UsageError

SHORTEST = 6
VOWELS = "aàâeéèêëiîïoôœuùûy"
LEAST_TYPED = 4
"""Fewer characters name too many things by chance."""


class Short:
    """Shorten the ids of one kind, alike for all of them."""

    def __init__(self, ids: Iterable[str]) -> None:
        known = set(ids)
        self._length = SHORTEST
        while len({one[-self._length :] for one in known}) < len(known):
            self._length += 1

    def __call__(self, long: str | None) -> str:
        """Give the end of an id."""
        return "" if long is None else long[-self._length :]


def short(tx: Connection, company_id: str, kind: Table) -> Short:
    """Shorten the ids of one table for one company."""
    query = select(kind.c.id).where(kind.c.company_id == company_id)
    return Short(tx.execute(query).scalars())


def matches(known: Iterable[str], typed: str) -> list[str]:
    """List the ids that are, begin or end with what was typed, without its case."""
    everything = list(known)
    asked = typed.strip().lower()
    found = [one for one in everything if one.lower() == asked]
    if found or len(asked) < LEAST_TYPED:
        return found
    return sorted(
        one
        for one in everything
        if one.lower().startswith(asked)
        or one.lower().endswith(asked)
        or one.lower().partition("_")[2].startswith(asked)
    )


def of(what: str) -> str:
    """Put « de » before a noun, elided before a vowel."""
    return f"d'{what}" if what[:1].lower() in VOWELS else f"de {what}"


def long(tx: Connection, company_id: str, kind: Table, typed: str, *, what: str, see: str) -> str:
    """Find the one id somebody meant; `what` names the thing, `see` the command that lists it."""
    query = select(kind.c.id).where(kind.c.company_id == company_id).order_by(kind.c.id)
    found = matches([str(one) for one in tx.execute(query).scalars()], typed)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"Pas {of(what)} « {typed} ». Voir : encaisse {see}.")
    raise UsageError(f"« {typed} » désigne plusieurs {what}s : {', '.join(found)}.")
