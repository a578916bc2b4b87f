"""Keep the clients of a row of effects open, as long as what they were lent for stands.

Before each effect the connection, its access and the secrets behind it are read again, in one
statement; where any of it changed the client is closed and another lent. What one effect leaves
behind (a cookie, an error) is no other's, and each gets a deadline of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
import sqlalchemy as sa
from sqlalchemy import Connection

from encaisse_core.errors import UsageError
from encaisse_core.grants import TOKENS
from encaisse_core.host import Host, Link, link_of
from encaisse_core.store import schema
from encaisse_core.store.said import Said

Standing = Sequence[Sequence[Any]]


@dataclass
class _Kept:
    link: Link
    standing: Standing
    client: httpx.Client | None = None
    renew: Callable[[datetime], None] | None = None


class Desk:
    """Lend to one effect after the other; used by one thread, and closed at the end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._kept: dict[str, _Kept] = {}
        self._fresh = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for kept in self._kept.values():
            _close(kept)

    def looks(self, tx: Connection, company_id: str, connection_id: str) -> None:
        """Read a connection as it stands now, for the effect that comes next."""
        asked = {"of_company": company_id, "of_link": connection_id, "tokens": TOKENS}
        standing = [tuple(row) for row in _STANDING.run(tx, asked).fetchall()]
        if not standing:
            raise UsageError(f"La connexion {connection_id} n'existe pas pour cette société.")
        kept = self._kept.get(connection_id)
        if kept is None or kept.standing != standing:
            if kept is not None:
                _close(kept)
            row = dict(zip(_NAMES, standing[0], strict=False))
            self._kept[connection_id] = _Kept(link_of(row), standing)
        self._fresh = connection_id

    def link(self, company_id: str, connection_id: str) -> Link:
        """Give a connection as it was just looked at, else as it stands now."""
        if self._fresh != connection_id:
            with self._host.store.begin() as tx:
                self.looks(tx, company_id, connection_id)
        self._fresh = ""  # what was read serves one effect
        return self._kept[connection_id].link

    @contextmanager
    def open(self, link: Link, deadline: datetime) -> Generator[Any]:
        """Build the connector for one effect of a connection that was just read.

        No request starts later than `deadline`, so that none outlives the effect's lease.
        """
        kept, now = self._kept[link.id], self._host.clock.now()
        if kept.client is not None and kept.renew is not None:
            kept.renew(deadline)
        else:
            _close(kept)
            kept.client = self._host.lend(link, deadline)
            kept.renew = getattr(kept.client, "renew", None)  # one that cannot is lent anew
        try:
            yield self._host.build(link, kept.client, now, deadline)
        except BaseException:
            _close(kept)
            raise


def _close(kept: _Kept) -> None:
    if kept.client is not None:
        kept.client.close()
        kept.client = None


_C, _K, _G, _S = schema.connection, schema.company, schema.access_grant, schema.credential
_COLUMNS = (*_C.columns, _K.c.siren, _K.c.environment)
_NAMES = tuple(column.name for column in _COLUMNS)
_STANDING = Said(
    sa.select(*_COLUMNS, _G.c.state, _G.c.reason, _S.c.field, _S.c.nonce)
    .join(_K, _K.c.id == _C.c.company_id)
    .join(_G, _G.c.id == _C.c.grant_id)
    .outerjoin(_S, (_S.c.grant_id == _G.c.id) & (_S.c.field != sa.bindparam("tokens")))
    .where(
        _C.c.company_id == sa.bindparam("of_company", type_=sa.Text),
        _C.c.id == sa.bindparam("of_link", type_=sa.Text),
    )
    .order_by(_S.c.field)
)
"""A secret put anew is sealed under a nonce of its own, so that the nonce tells it from the old."""
