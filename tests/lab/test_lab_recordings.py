"""No recording of any connector holds a secret, a person, a company or an account that exists."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from stdnum import iban
from stdnum.fr import siren

from encaisse_lab import record_factomos, record_gcollect, record_libeo, record_myunisoft
from encaisse_lab.record import connector_named

CASSETTES = Path(__file__).parents[1] / "cassettes"
FILES = sorted(path for path in CASSETTES.rglob("*") if path.is_file())

SECRETS = (
    record_factomos.TOKEN,
    record_gcollect.CLIENT[1],
    record_libeo.API_KEY,
    record_myunisoft.TOKEN,
    record_myunisoft.SECRET,
)
SECRET_WORDS = re.compile(
    r"authorization|bearer|cookie|passw|(?:access|refresh|id)_token|client_secret|api[-_]?key"
    r"|private.key|secret",
    re.IGNORECASE,
)
OF_WEBHOOKS = re.compile(r'"secrets": \[\s*"[\w-]*invented[\w-]*"\s*\]')
"""The secret a recorded delivery was signed with, which is there to be checked and says so."""
COMPANY = re.compile(r"(?<![\w.])(?:FR[0-9A-Z]{2} ?)?((?:\d ?){8}\d)(?: ?\d{5})?(?!\w)")
"""A SIREN, alone or as part of a SIRET or a French VAT number."""

INVENTED = {"123456782", "987654324", "812345676", "223456781", "999100019"}
"""SIRENs with a valid key that the project made up for its examples."""

EXAMPLES = re.compile(r"(?:.+\.)?(?:example(?:\.(?:org|com|net))?|test|invalid)")
"""Domains nobody can own (RFC 2606)."""


def test_every_connector_of_ours_has_recordings() -> None:
    connectors = Path(__file__).parents[2] / "connectors"
    ours: set[str] = set()
    for path in connectors.glob("*/pyproject.toml"):
        points = tomllib.loads(path.read_text("utf-8"))["project"]["entry-points"]
        ours |= set(points["encaisse.connectors"])
    assert {path.relative_to(CASSETTES).parts[0] for path in FILES} == ours


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CASSETTES)))
def test_a_recording_holds_nothing_of_anybody(path: Path) -> None:
    manifest = connector_named(path.relative_to(CASSETTES).parts[0]).manifest
    hosts = {*manifest.test_hosts, *manifest.live_hosts}
    for text in readable(path.read_bytes()):
        assert list(findings(text, hosts)) == []


@pytest.mark.parametrize(
    "written",
    [
        "Authorization: Bearer x",
        '{"client_secret": "x"}',
        '"secrets": ["whsec_of_somebody"]',
        record_factomos.TOKEN,
        "jean@dupont.fr",
        "jean@example.org.fr",
        "SIREN 732829320",
        "732 829 320 00074",
        "FR44732829320",
        "FR76 3000 6000 0112 3456 7890 189",
        "GB82WEST12345698765432",
        "https://api.gcollect.com/v1",
        base64.b64encode(b"une lettre que jean@dupont.fr a envoyee au tribunal").decode(),
    ],
)
def test_what_must_not_be_recorded_is_found(written: str) -> None:
    texts = readable(f'{{"a": "{written}"}}'.encode())
    assert any(list(findings(text, {"api.gcollect.example"})) for text in texts)


def readable(content: bytes) -> Iterator[str]:
    """Give a file's text, and that of what is packed in it as base64."""
    text = content.decode("utf-8", "replace")
    yield text
    for packed in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", re.sub(r"\n +", "", text)):
        try:
            yield base64.b64decode(packed, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            continue


def findings(text: str, hosts: set[str]) -> Iterator[str]:
    """Name what a recording must not hold."""
    text = OF_WEBHOOKS.sub("", text)
    yield from (secret for secret in SECRETS if secret in text)
    yield from (match.group() for match in SECRET_WORDS.finditer(text))
    for domain in re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text):
        if not EXAMPLES.fullmatch(domain):
            yield f"@{domain}"
    for match in re.finditer(
        r"(?<![\w.])(?:FR[0-9A-Z]{2} ?)?((?:\d ?){8}\d)( ?\d{5})?(?!\d)", text
    ):
        number = match[1].replace(" ", "")
        if number.strip("0") and siren.is_valid(number) and number not in INVENTED:
            yield number
    for candidate in re.findall(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?!\w)", text):
        if iban.is_valid(candidate):
            yield candidate
    for host in re.findall(r"https?://([^/\"'\s:?#\\]+)", text):
        if host not in hosts:
            yield host
