"""The base of every value that crosses the border.

Frozen and closed: a value cannot change after it was checked, and a field nobody declared is
an error, so a connector cannot smuggle data past the host, nor lose it silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints


class Frozen(BaseModel):
    """Refuse unknown fields and later changes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
"""Our name of a connector or a setting."""

Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$")]
"""The name of a server, without scheme or port."""

Environment = Literal["test", "live"]
"""Test and live never meet: a connection lives in one of them."""

type_ids: Mapping[str, str] = {
    "org": "organisation",
    "cmp": "company",
    "grt": "grant",
    "cnx": "connection",
    "sgt": "sighting",
    "clm": "claim",
    "ech": "échéance",
    "dbt": "debtor",
    "prp": "proposal",
    "mdt": "mandate",
    "prc": "procedure",
    "eff": "effect",
    "pay": "payment",
    "stl": "settlement",
    "pot": "payout",
    "ref": "referrer",
    "cml": "commission line",
    "tsk": "task for a person",
}
"""Prefix of each of our ids, which are `<kind>_<ULID>`, and what it names."""

ClaimId = Annotated[str, StringConstraints(pattern=r"^clm_[0-9A-HJKMNP-TV-Z]{26}$")]
"""Our id of a claim: says nothing about anybody."""

Siren = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
"""Nine digits naming a French legal unit (INSEE); the host has checked its key."""

Department = Annotated[
    str, StringConstraints(pattern=r"^(0[1-9]|[1-8][0-9]|9[0-5]|2[AB]|97[1-6])$")
]
"""Official geographic code of a French département (INSEE)."""

InvoiceNumber = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z/._+#\-]{0,34}[0-9][0-9A-Za-z/._+#\-]{0,34}$")
]
"""BT-1 with white space removed: letters, figures and separators, at least one figure.

The pattern leaves no room for a sentence, so that a number cannot carry a name to a collector
before a mandate is signed.
"""

RemoteRef = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._:\-]{1,128}$")]
"""An id the partner gave: opaque, without white space."""

IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^enc-[0-9a-z]{26}$")]
"""Key of one effect: derived by the host from what the effect is, never from an attempt.

Short and printable, because for tools without keys it travels as the payment's reference and is
what a look-up searches.
"""
