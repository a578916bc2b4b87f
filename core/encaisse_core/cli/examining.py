"""The checks of `encaisse doctor`, one function each, over what is installed and what is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, func, select, text

from encaisse_core import grants, restored
from encaisse_core.app import ROUTES, App, routes_of
from encaisse_core.cli.catalogue import imported, of_other_rooms
from encaisse_core.cli.showing import moment
from encaisse_core.daemon import BEAT, HEARTBEAT, WORKER, alive
from encaisse_core.errors import HostError
from encaisse_core.gate import FRESH
from encaisse_core.loader import load
from encaisse_core.stops import STOP_KINDS
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.preparing import standing
from encaisse_core.store.versions import version_of
from encaisse_core.watch import heartbeat

ACKNOWLEDGED_WITHIN = timedelta(hours=4)
"""A stop older than this is given to a person."""

APART_AT_MOST = timedelta(seconds=5)
"""More between the database's clock and ours, and leases are judged wrongly."""

DAEMON_SILENT = timedelta(hours=26)
"""A night every day, and two hours for a long one."""


@dataclass(frozen=True, slots=True)
class Check:
    """Say whether one thing is as it should be, and what it is."""

    name: str
    ok: bool
    sentence: str


def of_the_installation() -> list[Check]:
    """Check what is installed, without the store."""
    loaded = load()
    found = [Check("connector", False, apart.reason_fr) for apart in loaded.quarantined]
    count = len(loaded.connectors)
    names = ", ".join(sorted(loaded.connectors)) or "aucun"
    found.append(Check("connectors", count > 0, f"Connecteurs qui marchent : {names}."))
    for entry in of_other_rooms().values():
        command = imported(entry)
        if isinstance(command, str):
            found.append(Check("command", False, command))
    return found


def of_the_host(app: App, environ: Mapping[str, str]) -> list[Check]:
    """Check the store, the vault, the connections and what is under way."""
    found = [_folder(app.folder)]
    with app.host.store.overseeing().begin() as tx:
        now = app.host.store.db_now(tx)
        found += [_version(tx), _integrity(app, tx), *_apart(app, tx), _clock(app, tx, now)]
        found += _vault(app, tx)
        found += _connections(app, tx)
        found += _unjoined(tx)
        found += [_stops(tx, app.host.clock.now()), _doubts(tx), _routes(tx, environ)]
        found += [_daemon(tx, app.host.clock.now()), *_workers(tx, app.host.clock.now())]
        found += [*_restorations(tx), _heartbeat(tx, app.host.clock.now(), environ)]
    return found


def _folder(folder: Path) -> Check:
    return Check("folder", True, f"Dossier de données : {folder}.")


def _version(tx: Connection) -> Check:
    revision = version_of(tx)
    where = "SQLite" if tx.dialect.name == "sqlite" else "PostgreSQL"
    return Check("store", revision is not None, f"Base {where}, révision {revision}.")


def _integrity(app: App, tx: Connection) -> Check:
    """Ask SQLite to read every page and every reference; PostgreSQL watches over its own."""
    if not app.host.store.sqlite:
        return Check("integrity", True, "PostgreSQL répond ; il surveille ses pages lui-même.")
    said = str(tx.execute(text("pragma integrity_check(1)")).scalar_one())
    loose = tx.execute(text("pragma foreign_key_check")).first()
    if said != "ok":
        return Check("integrity", False, f"La base est abîmée ({said}) : restaurez une sauvegarde.")
    if loose is not None:
        return Check("integrity", False, "La base a des liens rompus : restaurez une sauvegarde.")
    return Check("integrity", True, "La base est entière.")


def _apart(app: App, tx: Connection) -> list[Check]:
    """Say whether the database itself keeps companies apart, which depends on who connects."""
    if app.host.store.sqlite:
        return []
    role = standing(tx)
    if role.bypasses:
        return [
            Check(
                "apart",
                False,
                f"PostgreSQL ne tient pas les sociétés à part : le rôle {role.name} est "
                "super-utilisateur ou contourne la sécurité par ligne. Travaillez sous un rôle "
                "sans privilège : encaisse database prepare --role RÔLE.",
            )
        ]
    said = f"PostgreSQL tient les sociétés à part pour le rôle {role.name}"
    if role.owns:
        return [
            Check(
                "apart",
                True,
                f"{said}, qui possède les tables et pourrait le défaire : un rôle de travail "
                "est plus sûr (encaisse database prepare --role RÔLE).",
            )
        ]
    return [Check("apart", True, f"{said}.")]


def _clock(app: App, tx: Connection, db_now: datetime) -> Check:
    now = app.host.clock.now()
    apart = abs(now - db_now)
    if apart > APART_AT_MOST:
        return Check(
            "clock",
            False,
            f"L'horloge de cette machine et celle de la base diffèrent de {apart.seconds} s : "
            "réglez-les (NTP).",
        )
    last = tx.execute(select(func.max(schema.event.c.at))).scalar_one_or_none()
    if last is not None and instant(last) > now + APART_AT_MOST:
        return Check("clock", False, f"Le journal est daté du futur ({last}) : l'horloge a reculé.")
    return Check("clock", True, "Les horloges s'accordent.")


def _vault(app: App, tx: Connection) -> list[Check]:
    """Open every stored secret, and say nothing of it but that it opens."""
    g = schema.access_grant.c
    query = select(g.id, g.connector).where(g.state != "ended").order_by(g.id)
    opened, failed = 0, list[Check]()
    for row in tx.execute(query).all():
        try:
            opened += len(grants.read_secrets(tx, app.vault, row.id))
        except HostError as error:
            failed.append(Check("vault", False, error.message))
        except InvalidTag:
            failed.append(
                Check(
                    "vault",
                    False,
                    f"Un secret de {row.connector} ne se déchiffre pas : reconnectez-le "
                    f"(encaisse connect {row.connector}).",
                )
            )
    return failed or [Check("vault", True, f"Coffre : {opened} secret(s), tous lisibles.")]


def _connections(app: App, tx: Connection) -> list[Check]:
    c, k = schema.connection.c, schema.company.c
    query = (
        select(c.connector, c.state, c.reason, c.pulled_at, c.failed_at, k.siren)
        .join(schema.company, k.id == c.company_id)
        .where(c.state != "ended")
        .order_by(k.siren, c.sequence)
    )
    now = app.host.clock.now()
    found: list[Check] = []
    for row in tx.execute(query):
        who = f"{row.connector} ({row.siren})"
        if row.connector not in app.loaded.connectors:
            said = f"{who} : le connecteur n'est pas installé, rien n'est lu."
        elif row.state != "active":
            said = f"{who} est en pause. {row.reason or ''} Reprenez : encaisse connect."
        elif row.failed_at is not None:
            said = f"{who} n'a pas répondu à la dernière lecture. {row.reason or ''}"
        elif row.pulled_at is None:
            said = f"{who} n'a jamais été lu : encaisse sync."
        elif now - instant(row.pulled_at) > FRESH:
            said = f"{who} n'a pas été lu depuis 24 heures : encaisse sync."
        else:
            found.append(Check("connection", True, f"{who} est à jour."))
            continue
        found.append(Check("connection", False, " ".join(said.split())))
    return found


def _unjoined(tx: Connection) -> list[Check]:
    """Look for records that were read and make no claim yet: a reading broke off before its end."""
    s, k = schema.sighting.c, schema.company.c
    query = (
        select(k.siren, k.environment, func.count().label("n"))
        .join(schema.company, k.id == s.company_id)
        .where(s.claim_id.is_(None))
        .group_by(k.siren, k.environment)
        .order_by(k.siren, k.environment)
    )
    found = [
        Check(
            "joining",
            False,
            f"{row.n} facture(s) de {row.siren} ({row.environment}) sont lues mais pas encore "
            "rapprochées : la lecture n'est pas allée au bout. Relancez : encaisse sync.",
        )
        for row in tx.execute(query)
    ]
    return found or [Check("joining", True, "Toutes les factures lues sont rapprochées.")]


def _stops(tx: Connection, now: datetime) -> Check:
    """Look for a stop a collector has not acknowledged: somebody paid and is still asked."""
    e = schema.effect.c
    waiting = tx.execute(
        select(func.count(), func.min(e.created_at)).where(
            e.kind.in_(STOP_KINDS), e.state.not_in(("done", "refused"))
        )
    ).one()
    if not waiting[0]:
        return Check("stops", True, "Tous les arrêts sont confirmés.")
    late = now - instant(waiting[1]) > ACKNOWLEDGED_WITHIN
    said = f"{waiting[0]} arrêt(s) pas encore confirmé(s) par le partenaire"
    more = ", depuis plus de 4 heures : appelez-le." if late else "."
    return Check("stops", not late, said + more)


def _doubts(tx: Connection) -> Check:
    e = schema.effect.c
    counts = {
        row.state: row.n
        for row in tx.execute(
            select(e.state, func.count().label("n"))
            .where(e.state.in_(("uncertain", "parked")))
            .group_by(e.state)
        )
    }
    if not counts:
        return Check("effects", True, "Aucun envoi en doute.")
    return Check(
        "effects",
        False,
        f"Envois incertains : {counts.get('uncertain', 0)}, en attente d'une personne : "
        f"{counts.get('parked', 0)}. Voir : encaisse effects.",
    )


def _routes(tx: Connection, environ: Mapping[str, str]) -> Check:
    routes = routes_of(environ)
    if not routes:
        return Check("routes", True, "Aucun simulateur branché.")
    k = schema.company.c
    real = tx.execute(select(func.count()).where(k.environment == "live")).scalar_one()
    said = f"Simulateur branché ({ROUTES}) pour : {', '.join(sorted(routes))}."
    if real:
        return Check("routes", False, f"{said} Les {real} société(s) en réel ne sont pas lues.")
    return Check("routes", True, said)


def _restorations(tx: Connection) -> list[Check]:
    """Say of each restored company what is still in doubt."""
    r, k = schema.restoration.c, schema.company.c
    query = (
        select(k.id, k.siren, k.environment, r.taken_at)
        .join(schema.restoration, r.company_id == k.id)
        .where(r.closed_at.is_(None))
        .order_by(k.siren, k.environment)
    )
    found: list[Check] = []
    for row in tx.execute(query).all():
        waits = restored.why_not_open(tx, row.id) or "des envois sont encore en doute."
        said = f"{row.siren} ({row.environment}) restaurée de la sauvegarde du "
        found.append(Check("restoration", False, f"{said}{moment(row.taken_at)} : {waits}"))
    return found


def _heartbeat(tx: Connection, now: datetime, environ: Mapping[str, str]) -> Check:
    """Say whether somebody outside is told of nights, and whether they heard."""
    said = heartbeat.last(tx)
    if said is None:
        if environ.get(heartbeat.SETTING):
            return Check("heartbeat", True, "Témoin extérieur réglé, pas encore appelé.")
        return Check(
            "heartbeat",
            True,
            f"Aucun témoin extérieur n'est prévenu des nuits ({heartbeat.SETTING}) : une machine "
            "éteinte ne le dirait à personne.",
        )
    at, body = said
    if not body.get("ok"):
        return Check(
            "heartbeat",
            False,
            f"Le témoin extérieur n'a pas pris l'appel du {moment(at)} ({body.get('why')}) : "
            "vérifiez son adresse.",
        )
    late = now - instant(at) > DAEMON_SILENT
    told = f"Le témoin extérieur a été prévenu le {moment(at)}"
    return Check("heartbeat", not late, f"{told}{', plus depuis : relancez.' if late else '.'}")


def _daemon(tx: Connection, now: datetime) -> Check:
    h = schema.heartbeat.c
    last = tx.execute(select(h.at, h.body).where(h.name == HEARTBEAT)).first()
    if last is None:
        return Check("daemon", True, "Le veilleur de nuit n'a pas encore tourné (sync_daemon.py).")
    body: dict[str, Any] = json.loads(last.body)
    when, late = moment(last.at), now - instant(last.at) > DAEMON_SILENT
    if body.get("state") == "once":
        said = f"La dernière nuit demandée seule (--once) date du {when} ; aucun veilleur n'attend"
        return Check("daemon", not late, f"{said}{' : relancez-la.' if late else '.'}")
    if body.get("state") == "stopped":
        return Check("daemon", False, f"Le veilleur de nuit a été arrêté le {when} : relancez-le.")
    if late or not alive(body):
        return Check(
            "daemon",
            False,
            f"Le veilleur de nuit ne donne plus signe de vie depuis le {when} : relancez-le.",
        )
    return Check("daemon", True, "Le veilleur de nuit est vivant.")


def _workers(tx: Connection, now: datetime) -> list[Check]:
    """Say how many workers live, where there are any."""
    h = schema.heartbeat.c
    said = [
        instant(at) for at in tx.execute(select(h.at).where(h.name.startswith(WORKER))).scalars()
    ]
    if not said:
        return []
    alive_ = sum(now - at <= 2 * BEAT for at in said)
    if alive_:
        return [Check("workers", True, f"Ouvriers vivants : {alive_}.")]
    return [
        Check(
            "workers",
            False,
            f"Plus aucun ouvrier ne donne signe de vie depuis le {moment(stamp(max(said)))} : "
            "relancez encaisse worker.",
        )
    ]
