"""Keep an effect leased while what it needs is read, however long that takes.

Documents, and the last look at a long file, may take longer than one lease. Whoever reads them says
so after each read; a worker that died or froze says nothing, and its lease runs out as any other.
"""

from __future__ import annotations

from sqlalchemy import Text, bindparam

from encaisse_core import outbox
from encaisse_core.host import Host
from encaisse_core.kinds import NotNow
from encaisse_core.outbox import Effect
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.said import Said

_E = schema.effect.c
_RENEW = Said(
    schema.effect.update()
    .where(
        _E.company_id == bindparam("of_company", type_=Text),
        _E.id == bindparam("of_id", type_=Text),
        _E.token == bindparam("held", type_=Text),
    )
    .values(ready_at=bindparam("until", type_=Text))
)


def renew(host: Host, effect: Effect) -> None:
    """Hold an effect for a whole lease from now; raise `NotNow` where another worker took it.

    The token decides, so that one read longer than a lease loses nothing nobody else took. It waits
    for its turn, since a worker may be about to take what it saw run out.
    """
    begun = host.clock.now()
    with host.store.begin("outbox.renew") as tx:
        now = host.store.one_at_a_time(tx, effect.company_id)
        asked = {"of_company": effect.company_id, "of_id": effect.id, "held": effect.token}
        held = _RENEW.run(tx, asked | {"until": stamp(now + outbox.LEASE)}).rowcount == 1
    if not held:
        raise NotNow("Cet envoi a été repris ailleurs.")
    effect.lease.until = begun + outbox.LEASE
