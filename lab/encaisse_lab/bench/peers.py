"""Call each library as its own documentation says, and count what its result holds.

The peers live in a virtual environment of their own, so they are looked up by name when the
benchmark runs and nothing here needs them to be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel

Read = Callable[[bytes], Any]
"""Bytes of a file to the library's own result; raises, or gives something empty, if it cannot."""

OURS: Final = "encaisse"
BARE: Final = "lxml"
FACTUR_X: Final = "factur-x"
FACTUREX: Final = "facturex"
EU_EINVOICE: Final = "eu-einvoice"
DRAFTHORSE: Final = "drafthorse"


@dataclass(frozen=True, slots=True)
class Peer:
    """Be one library: how it reads, and how many values its result holds.

    `syntaxes` are what it says it reads; `counts` is None for what gives no fields (bare lxml).
    """

    name: str
    version: str
    syntaxes: frozenset[str]
    read: Read
    counts: Callable[[Any], int] | None


def peers() -> list[Peer]:
    """Give every library measured, ours first; `ModuleNotFoundError` names one not installed."""
    return [_ours(), _bare(), _factur_x(), _facturex(), _eu_einvoice(), _drafthorse()]


def leaves(value: Any) -> int:
    """Count the single values of a result: an empty text, list or part has none."""
    if isinstance(value, BaseModel):
        return sum(leaves(part) for _, part in value)
    if isinstance(value, Mapping):
        return sum(leaves(part) for part in value.values())
    if isinstance(value, (list, tuple, set)):
        return sum(leaves(part) for part in value)
    return 0 if value is None or value == "" else 1


def _ours() -> Peer:
    from encaisse_einvoicing import read_bytes

    def read(data: bytes) -> Any:
        return read_bytes("", data).invoice

    known = frozenset({"CII", "UBL", "PDF"})
    return Peer(OURS, version("encaisse-einvoicing"), known, read, leaves)


def _bare() -> Peer:
    etree = import_module("lxml.etree")
    return Peer(BARE, version("lxml"), frozenset({"CII", "UBL"}), etree.fromstring, None)


def _factur_x() -> Peer:
    """Without its XSD check, which costs it five to ninety milliseconds a file."""
    parse = import_module("facturx.parse_xml").parse_ubl_cii_xml
    extract = import_module("facturx").get_xml_from_pdf

    def read(data: bytes) -> Any:
        if data.startswith(b"%PDF-"):
            _, data = extract(data, check_xsd=False)
        return parse(data, check_xsd=False)

    return Peer(FACTUR_X, version("factur-x"), frozenset({"CII", "UBL", "PDF"}), read, leaves)


def _facturex() -> Peer:
    read = import_module("facturex").parse_bytes
    return Peer(FACTUREX, version("facturex"), frozenset({"CII", "UBL", "PDF"}), read, leaves)


def _eu_einvoice() -> Peer:
    parse = import_module("eu_einvoice.parse").parse_bytes

    def read(data: bytes) -> Any:
        model, _ = parse(data)
        return model

    known = frozenset({"CII", "UBL", "PDF"})
    return Peer(EU_EINVOICE, version("eu-einvoice"), known, read, leaves)


def _drafthorse() -> Peer:
    """Without its strict mode, which refuses what it has no class for."""
    document = import_module("drafthorse.models.document").Document

    def read(data: bytes) -> Any:
        return document.parse(data, strict=False)

    def counts(result: Any) -> int:
        tree: Iterable[Any] = result.to_etree().iter()
        return sum(bool((each.text or "").strip()) + len(each.attrib) for each in tree)

    return Peer(DRAFTHORSE, version("drafthorse"), frozenset({"CII"}), read, counts)
