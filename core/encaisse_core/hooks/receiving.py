"""Take one delivery in: known connection, proven sender, kept, and somebody woken. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from encaisse_api import Delivery, Drift, PartnerError, ReceivesWebhooks, WebhookScheme
from encaisse_api.webhooks import Unverified, verify
from encaisse_core import grants
from encaisse_core.errors import HostError, UsageError
from encaisse_core.hooks import deliveries
from encaisse_core.host import Host, Link, link
from encaisse_core.sightings import keep_answer
from encaisse_core.vault import Vault

PREFIX = "/hooks/"
"""Where partners call: `/hooks/<company>/<connection>`."""

LARGEST = 1 << 20
"""Bytes of a delivery; a list of events is far smaller, and what it says is not kept."""

ANSWERS = {
    "kept": HTTPStatus.OK,
    "known": HTTPStatus.OK,
    "nothing": HTTPStatus.OK,
    "unknown": HTTPStatus.NOT_FOUND,
    "unverified": HTTPStatus.UNAUTHORIZED,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What each outcome is answered with. Partners send again what is not answered by 2xx."""

Headers = tuple[tuple[str, str], ...]


def path(company_id: str, connection_id: str) -> str:
    """Give the path on which a connection's partner is heard."""
    return f"{PREFIX}{company_id}/{connection_id}"


@dataclass(frozen=True)
class Letterbox:
    """Take deliveries in. `wake` is called when there is something to look at now."""

    host: Host
    vault: Vault
    wake: Callable[[], None]
    told: Callable[[str, Link | None], None] = field(default=lambda _outcome, _link: None)

    def take(self, called: str, headers: Headers, body: bytes) -> HTTPStatus:
        """Take one delivery in and give the answer; the sender learns nothing else of us."""
        company_id, _, connection_id = called.removeprefix(PREFIX).partition("/")
        where = None
        try:
            host = self.host.of(company_id)
            found = _addressed(host, company_id, connection_id)
            outcome = "unknown"
            if called.startswith(PREFIX) and found is not None:
                where, scheme = found
                outcome = self._take(host, where, scheme, headers, body)
        except HostError:
            outcome = "unavailable"
        self.told(outcome, where)
        if outcome == "kept":
            self.wake()
        return ANSWERS[outcome]

    def _take(
        self, host: Host, where: Link, scheme: WebhookScheme, headers: Headers, body: bytes
    ) -> str:
        delivery = Delivery(headers=headers, body=body, received_at=host.clock.now())
        with host.store.begin() as tx:
            known = grants.read_secrets(tx, self.vault, where.grant_id)
        secret = known.get(scheme.setting)
        try:
            secrets = [secret.get_secret_value()] if secret is not None else []
            verify(scheme, secrets, delivery, delivery.received_at)
        except Unverified:
            return "unverified"
        if not _concerns(host, where, delivery):
            return "nothing"
        told = deliveries.digest(_signed(scheme, headers), body)
        with host.store.begin("hooks.keep") as tx:
            news = deliveries.keep(tx, host.store, where, told, dated=scheme.timestamped)
        return "kept" if news else "known"


def _addressed(
    host: Host, company_id: str, connection_id: str
) -> tuple[Link, WebhookScheme] | None:
    """Find whose path this is; None where its partner does not sign what it sends."""
    try:
        with host.store.begin() as tx:
            where = link(tx, company_id, connection_id)
        scheme = host.manifest(where).webhook
    except (UsageError, KeyError):
        return None
    if scheme is None or where.state == "ended" or not host.can(where, ReceivesWebhooks):
        return None
    return where, scheme


def _concerns(host: Host, where: Link, delivery: Delivery) -> bool:
    """Tell whether the connector sees a reason to look; what nobody can read is one."""
    try:
        with host.open(where) as partner:
            return bool(partner.read_webhook(delivery))
    except Drift as error:
        with host.store.begin("hooks.raw") as tx:
            raw = error.raw or delivery.body.decode("utf-8", "replace")
            keep_answer(host, tx, where, raw, error.message)
        return True
    except PartnerError:
        return True  # a closed access is said by the night; it is read once it opens again
    except HostError:
        raise
    except Exception:
        return True  # a connector's bug costs a look, not the customer's peace


def _signed(scheme: WebhookScheme, headers: Headers) -> list[str]:
    """List the headers that prove this delivery, as they came."""
    names = {scheme.header.lower(), (scheme.timestamp_header or scheme.header).lower()}
    return sorted(f"{name.lower()}:{value}" for name, value in headers if name.lower() in names)
