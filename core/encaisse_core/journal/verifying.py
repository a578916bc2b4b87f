"""Check an export offline: no store, no network, no trust in who made it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from encaisse_core.journal.form import FIRST, FORMAT, JSON, canonical, event_hash, head_message

HEADER_FIELDS = {"company", "environment", "format", "public_keys", "siren", "type"}
EVENT_FIELDS = {"at", "body", "hash", "kind", "previous", "sequence", "subject", "type"}
HEAD_FIELDS = {"hash", "public_key", "sealed_at", "sequence", "signature", "type"}
KEY = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say what was found.

    `events` counts events whose chain held, `sealed` those a signed head covers, `head` is the
    hash of the last signed head, `keys` the public keys that signed (to compare with the printed
    one), `broken_at` the line of the export, from 1, where it stopped holding. `ok` is never True
    for what was not checked: no line, no head, an anchor not met.
    """

    ok: bool
    events: int
    sealed: int
    head: str | None
    keys: tuple[str, ...]
    broken_at: int | None
    sentence_fr: str


class _Broken(Exception):
    """Carry why a line does not hold."""


@dataclass
class _Chain:
    """Hold what has been read so far."""

    company_id: str = ""
    siren: str = ""
    environment: str = ""
    declared_keys: list[str] = field(default_factory=list[str])
    keys: list[str] = field(default_factory=list[str])
    digests: bytearray = field(default_factory=bytearray)  # 32 bytes an event: a million fit
    last: str = FIRST
    last_head: str = FIRST
    sealed: int = 0
    sealed_at: str = ""
    anchored: int | None = None

    @property
    def events(self) -> int:
        return len(self.digests) // 32


def verify(lines: Iterable[str], anchor: str | None = None) -> Verdict:
    """Check every line of an export, and that `anchor`, an earlier head, is one of its heads.

    Every line must be its own canonical form, byte for byte, so that no change is too small to
    count. What this proves ends at the last signed head; the sentence says so. Without an anchor a
    journal written anew from the start with another key would pass: the sentence says that too.
    """
    chain = _Chain()
    number = 0
    anchor = anchor.strip().lower() if anchor is not None else None
    try:
        for number, line in enumerate(lines, start=1):
            fields = _parse(line)
            kind = fields.get("type")
            if number == 1:
                _header(chain, fields)
            elif kind == "event":
                _event(chain, fields)
            elif kind == "head":
                _head(chain, fields, anchor)
            else:
                _broken("une ligne n'est ni un événement ni une tête")
        if number and chain.keys != chain.declared_keys:
            number = 1
            _broken("les clés annoncées ne sont pas celles des têtes")
    except _Broken as why:
        return _verdict(
            chain,
            False,
            f"Journal altéré : à la ligne {number} de l'export, {why}. Les {chain.events} "
            "événements lus avant se tiennent. Comparez avec une copie antérieure.",
            broken_at=number,
        )
    return _conclude(chain, number, anchor)


def _parse(line: str) -> dict[str, JSON]:
    text = line.removesuffix("\n")
    try:
        value: object = json.loads(text)
        same = canonical(cast("JSON", value)) == text
    except (ValueError, RecursionError):
        _broken("le texte n'est pas du JSON lisible")
    if not isinstance(value, dict):
        _broken("la ligne n'est pas un objet JSON")
    if not same:
        _broken("l'écriture n'est pas la forme canonique")
    return cast("dict[str, JSON]", value)


def _header(chain: _Chain, fields: dict[str, JSON]) -> None:
    _expect(fields, HEADER_FIELDS, "journal")
    if fields["format"] != FORMAT:
        _broken("le format est inconnu")
    keys = fields["public_keys"]
    if not isinstance(keys, list):
        _broken("la liste des clés manque")
    chain.declared_keys = [str(key) for key in cast("list[object]", keys)]
    chain.company_id = _text(fields, "company")
    chain.siren = _text(fields, "siren")
    chain.environment = _text(fields, "environment")


def _event(chain: _Chain, fields: dict[str, JSON]) -> None:
    _expect(fields, EVENT_FIELDS, "event")
    if chain.last_head != FIRST:
        _broken("un événement suit une tête")
    if _sequence(fields) != chain.events + 1:
        _broken(f"l'événement {chain.events + 1} était attendu")
    if fields["previous"] != chain.last:
        _broken("l'empreinte précédente n'est pas celle de l'événement d'avant")
    computed = event_hash(
        chain.last,
        company_id=chain.company_id,
        sequence=chain.events + 1,
        at=_text(fields, "at"),
        kind=_text(fields, "kind"),
        subject=_text(fields, "subject"),
        body=canonical(fields["body"]),
    )
    if fields["hash"] != computed:
        _broken("le contenu ne correspond pas à son empreinte")
    chain.last = computed
    chain.digests += bytes.fromhex(computed)


def _head(chain: _Chain, fields: dict[str, JSON], anchor: str | None) -> None:
    _expect(fields, HEAD_FIELDS, "head")
    sequence = _sequence(fields)
    if sequence <= chain.sealed:
        _broken("les têtes ne se suivent pas")
    if sequence > chain.events:
        _broken(f"la tête scelle l'événement {sequence}, qui manque")
    at = chain.digests[32 * (sequence - 1) : 32 * sequence].hex()
    if fields["hash"] != at:
        _broken(f"la tête ne scelle pas l'événement {sequence} de cette chaîne")
    key, signature = _text(fields, "public_key"), _text(fields, "signature")
    message = head_message(
        company_id=chain.company_id,
        siren=chain.siren,
        environment=chain.environment,
        sequence=sequence,
        hash_=at,
        previous_head=chain.last_head,
        sealed_at=_text(fields, "sealed_at"),
    )
    if not KEY.fullmatch(key) or not SIGNATURE.fullmatch(signature):
        _broken("la clé ou la signature de la tête est mal écrite")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):
        _broken("la signature de la tête est fausse")
    chain.sealed, chain.last_head = sequence, at
    chain.sealed_at = _text(fields, "sealed_at")
    if at == anchor:
        chain.anchored = sequence
    if key not in chain.keys:
        chain.keys.append(key)


def _conclude(chain: _Chain, lines: int, anchor: str | None) -> Verdict:
    if lines == 0:
        return _verdict(chain, False, "Rien n'a été vérifié : l'export est vide.")
    if chain.sealed == 0:
        return _verdict(
            chain,
            False,
            f"Rien n'est prouvé : l'export a {chain.events} événement(s) mais aucune tête signée. "
            "Scellez le journal (il l'est chaque nuit), puis exportez-le de nouveau.",
        )
    if anchor is not None and chain.anchored is None:
        return _verdict(
            chain,
            False,
            f"La tête {anchor} n'est pas parmi les têtes signées de ce journal : il a été réécrit "
            "ou tronqué avant elle, ou cette tête vient d'une autre société.",
        )
    said = [
        f"Journal vérifié : {chain.events} événement(s), chaîne intacte, scellée jusqu'à "
        f"l'événement {chain.sealed} le {chain.sealed_at}."
    ]
    unsealed = chain.events - chain.sealed
    if unsealed:
        said.append(f"{unsealed} événement(s) plus récent(s) ne sont pas encore scellés.")
    if chain.anchored is not None:
        said.append(f"La tête présentée est celle de l'événement {chain.anchored}.")
    else:
        said.append(
            "Sans tête antérieure à comparer, un journal entièrement réécrit ne se verrait pas : "
            "présentez une tête imprimée."
        )
    said.append(
        "Ce qui aurait été retiré après la dernière tête de cet export ne peut pas se voir ici."
    )
    return _verdict(chain, True, " ".join(said))


def _verdict(chain: _Chain, ok: bool, sentence: str, *, broken_at: int | None = None) -> Verdict:
    return Verdict(
        ok=ok,
        events=chain.events,
        sealed=chain.sealed,
        head=chain.last_head if chain.sealed else None,
        keys=tuple(chain.keys),
        broken_at=broken_at,
        sentence_fr=sentence,
    )


def _expect(fields: dict[str, JSON], names: set[str], kind: str) -> None:
    if fields.get("type") != kind or set(fields) != names:
        _broken(f"les champs ne sont pas ceux d'une ligne « {kind} »")


def _text(fields: dict[str, JSON], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        _broken(f"le champ « {name} » n'est pas un texte")
    return value


def _sequence(fields: dict[str, JSON]) -> int:
    value = fields["sequence"]
    if not isinstance(value, int) or isinstance(value, bool):  # True would count as 1
        _broken("le numéro d'ordre n'est pas un entier")
    return value


def _broken(why: str) -> NoReturn:
    raise _Broken(why)
