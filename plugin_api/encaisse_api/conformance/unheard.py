"""Say what a status nobody knows must become, and find where an answer states one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

from encaisse_api.collection import Mandate, ProcedureState, Standing
from encaisse_api.conformance.cassette import Interaction
from encaisse_api.conformance.listing import nodes, with_value
from encaisse_api.conformance.seat import fail
from encaisse_api.settling import CollectedPayment, CollectorPayout
from encaisse_api.source import SourceInvoice
from encaisse_api.writing import FollowedUp

UNHEARD_OF = "zz_unheard_of"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STATUS = re.compile(r"(^|_)(status|state|statut|etat)$")

DUE: Mapping[type, str] = {
    SourceInvoice: "unknown",
    ProcedureState: "unknown",
    Mandate: "unknown",
    Standing: "unknown",
    CollectedPayment: "pending",
    CollectorPayout: "scheduled",
    FollowedUp: "pending",
}
"""The state each value of the contract has under a status nobody knows."""

SUCCESSES: Mapping[type, frozenset[str]] = {
    SourceInvoice: frozenset({"settled", "cancelled"}),
    ProcedureState: frozenset({"closed"}),
    Mandate: frozenset({"signed"}),
    Standing: frozenset({"active"}),
    CollectedPayment: frozenset({"verified"}),
    CollectorPayout: frozenset({"executed"}),
    FollowedUp: frozenset({"posted"}),
}
"""States no doubt may end in, whoever states the status."""


def is_status(step: object) -> bool:
    """Tell whether a field is named as statuses are: `status`, `invoice_status`, `paymentState`."""
    return isinstance(step, str) and _STATUS.search(_HUMP.sub("_", step).lower()) is not None


def with_unheard_status(recording: tuple[Interaction, ...]) -> tuple[Interaction, ...] | None:
    """Put an unknown word in every status field; None when there is none."""
    changed = False
    result: list[Interaction] = []
    for interaction in recording:
        document = interaction.document()
        for path, value in list(nodes(document)):
            if path and is_status(path[-1]) and isinstance(value, str):
                document = with_value(document, path, UNHEARD_OF)
                changed = True
        result.append(interaction if document is None else interaction.answering(document))
    return tuple(result) if changed else None


def states_itself(recording: Iterable[Interaction], *ids: str) -> bool:
    """Tell whether the object that bears one of these ids has a status of its own beside it."""
    for interaction in recording:
        for _, value in nodes(interaction.document()):
            if isinstance(value, dict):
                fields = cast("dict[str, object]", value)
                named = any(str(part) in ids for part in fields.values())
                if named and any(is_status(f) and isinstance(v, str) for f, v in fields.items()):
                    return True
    return False


def check_unknown(
    name: str, recording: tuple[Interaction, ...], good: Iterable[object], given: Iterable[object]
) -> None:
    """Require the unknown state, and of an invoice the amounts it had under the known status."""
    before = {item.ref: item for item in good if isinstance(item, SourceInvoice)}
    for item in given:
        due = DUE.get(type(item))
        if due is None:
            continue
        state = str(getattr(item, "state", ""))
        own = states_itself(recording, *_ids(item))
        if state in SUCCESSES[type(item)] or (own and state != due):
            fail(f"{name}: a status nobody knows became `{state}`, `{due}` was due: {item!r}")
        if isinstance(item, SourceInvoice) and (known := before.get(item.ref)) is not None:
            amounts = (known.total, known.open, known.instalments)
            if amounts != (item.total, item.open, item.instalments):
                fail(f"{name}: a status nobody knows changed the amounts of {item.ref}: {item!r}")


def _ids(item: object) -> tuple[str, ...]:
    found = (getattr(item, name, None) for name in ("ref", "remote_id", "siren"))
    return tuple(one for one in found if isinstance(one, str))
