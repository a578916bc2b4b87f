"""A shell to type commands in, and invoices to read, for the tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from encaisse_core.cli.main import cli
from encaisse_core.cli.session import Session
from encaisse_core.clock import Clock, Ids, VirtualClock
from encaisse_core.store import Store, open_store
from encaisse_simulator.server import serve
from encaisse_simulator.world import World

NOW = datetime(2026, 2, 2, 19, 0, tzinfo=UTC)
SIREN = "123456782"
OTHER_SIREN = "987654324"

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
  <cbc:ID>{number}</cbc:ID>
  <cbc:IssueDate>{issued}</cbc:IssueDate>
  <cbc:DueDate>{due}</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cac:AccountingSupplierParty><cac:Party>
    <cac:PartyLegalEntity>
      <cbc:RegistrationName>Atelier Exemple SARL</cbc:RegistrationName>
      <cbc:CompanyID schemeID="0002">{seller}</cbc:CompanyID>
    </cac:PartyLegalEntity>
  </cac:Party></cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty><cac:Party>
    <cac:PostalAddress>
      <cbc:PostalZone>35000</cbc:PostalZone>
      <cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country>
    </cac:PostalAddress>
    <cac:PartyLegalEntity>
      <cbc:RegistrationName>{buyer}</cbc:RegistrationName>
      <cbc:CompanyID schemeID="0002">552100554</cbc:CompanyID>
    </cac:PartyLegalEntity>
  </cac:Party></cac:AccountingCustomerParty>
  <cac:LegalMonetaryTotal>
    <cbc:TaxExclusiveAmount currencyID="EUR">{total}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">{total}</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="EUR">{total}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
</Invoice>
"""


def write_invoice(
    folder: Path,
    number: str,
    *,
    issued: str = "2025-10-01",
    due: str = "2025-10-31",
    total: str = "1234.56",
    seller: str = SIREN,
    buyer: str = "Client Exemple SAS",
) -> Path:
    """Put one UBL invoice into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number.replace('/', '-')}.xml"
    values = {"issued": issued, "due": due, "total": total, "seller": seller, "buyer": buyer}
    path.write_text(UBL.format(number=number, **values), encoding="utf-8")
    return path


@dataclass
class Shell:
    """Call commands as a person does, each call its own process's worth of state."""

    home: Path
    environ: dict[str, str]
    clock: Clock
    ids: Ids
    runner: CliRunner = field(default_factory=CliRunner)

    def __call__(self, *args: str, input: str | None = None, debug: bool = False) -> Result:
        """Run one command."""
        session = Session(self.environ, folder=self.home, clock=self.clock, ids=self.ids)
        heard = list(self.clock.on_advance) if isinstance(self.clock, VirtualClock) else []
        try:
            return self.runner.invoke(
                cli, [*(["--debug"] if debug else []), *args], input=input, obj=session
            )
        finally:
            if isinstance(self.clock, VirtualClock):
                self.clock.on_advance[:] = heard  # the store of this call is closed

    def ok(self, *args: str, input: str | None = None) -> str:
        """Run a command that must succeed; give its standard output."""
        result = self(*args, input=input)
        assert result.exit_code == 0, f"{args}: {result.exit_code} {result.output}"
        return result.stdout

    def json(self, *args: str, code: int = 0) -> Any:
        """Run a command with `--json` and read what it printed."""
        result = self(*args, "--json")
        assert result.exit_code == code, f"{args}: {result.exit_code} {result.output}"
        return json.loads(result.stdout)

    def store(self) -> Store:
        """Open the store these commands work on."""
        return open_store(f"sqlite:///{self.home / 'encaisse.db'}")


@dataclass
class Town:
    """Hold the simulated partners, and what a test needs to name in them."""

    world: World
    invoices: dict[str, str]


def connect_partners(shell: Shell) -> None:
    """Connect both partners; secrets come as a person gives them, never on the command line."""
    shell.ok(
        *("connect", "factomos", "--siren", SIREN, "--name", "Atelier Exemple SARL"),
        input="jeton-factomos\n",
    )
    shell.environ["ENCAISSE_SET_CLIENT_ID"] = "client-1"
    shell.environ["ENCAISSE_SET_CLIENT_SECRET"] = "secret-gcollect"
    shell.ok("connect", "gcollect")


@contextmanager
def open_town(shell: Shell) -> Iterator[Town]:
    """Serve Factomos and GCollect on the loopback, on the shell's own time."""
    world = World(seed=7, now=NOW)
    assert isinstance(shell.clock, VirtualClock)
    shell.clock.on_advance.append(world.set_now)
    world.factomos.add_company("jeton-factomos", SIREN, "Atelier Exemple SARL")
    contact = world.factomos.add_contact(
        "jeton-factomos",
        "Client Exemple SAS",
        siret="55210055400013",
        postcode="35000",
        city="Rennes",
        email="compta@example.org",
    )
    made = {
        number: world.factomos.add_invoice(
            number, contact, date(2025, 10, 1), date(2025, 10, 31), cents, document=b"%PDF-1.4 test"
        )
        for number, cents in (("F-1", 120_000), ("F-2", 45_050))
    }
    world.gcollect.register_creditor(SIREN, "Atelier Exemple SARL", "client-1", "secret-gcollect")
    with serve(world) as server:
        shell.environ["ENCAISSE_ROUTES"] = ",".join(
            f"{host}={server.base_url}" for host in sorted(world.partners)
        )
        yield Town(world, made)
