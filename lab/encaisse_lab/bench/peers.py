"""Call each library as its own documentation says, and list what its result holds.

The peers live in a virtual environment of their own, so they are looked up by name when the
benchmark runs and nothing here needs them to be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, cast

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

    `syntaxes` are what it says it reads; `fields` gives the field of each value its result holds,
    once for each value, and is None for what has no fields (bare lxml).
    """

    name: str
    version: str
    syntaxes: frozenset[str]
    read: Read
    fields: Callable[[Any], Iterator[str]] | None


def peers() -> list[Peer]:
    """Give every library measured, ours first; `ModuleNotFoundError` names one not installed."""
    return [_ours(), _bare(), _factur_x(), _facturex(), _eu_einvoice(), _drafthorse()]


def leaves(value: Any, field: str = "") -> Iterator[str]:
    """Give the field of every single value of a result; what is empty holds none.

    The items of a list are one field: `lines.name` comes once for each line.
    """
    if isinstance(value, BaseModel):
        for name, part in value:
            yield from leaves(part, f"{field}.{name}")
    elif isinstance(value, Mapping):
        for name, part in cast("Mapping[str, Any]", value).items():
            yield from leaves(part, f"{field}.{name}")
    elif isinstance(value, (list, tuple, set)):
        for part in cast("Iterable[Any]", value):
            yield from leaves(part, field)
    elif value is not None and value != "":
        yield field


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

    def fields(result: Any) -> Iterator[str]:
        yield from _written(result.to_etree(), "")

    return Peer(DRAFTHORSE, version("drafthorse"), frozenset({"CII"}), read, fields)


def _written(element: Any, above: str) -> Iterator[str]:
    """Give the place of every text and attribute of a tree."""
    path = f"{above}/{element.tag}"
    if (element.text or "").strip():
        yield path
    for name in element.attrib:
        yield f"{path}@{name}"
    for child in element:
        yield from _written(child, path)
