"""One invented company with every kind of row, for a person who starts the simulator alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from encaisse_simulator.paris import paris_date
from encaisse_simulator.world import World


@dataclass(frozen=True, slots=True)
class ExampleAccess:
    """Hold what opens the example company at each partner."""

    siren: str = "123456782"
    factomos_token: str = "factomos-example-token"
    libeo_api_key: str = "libeo-example-key"
    gcollect_client_id: str = "gcollect-example"
    gcollect_client_secret: str = "gcollect-example-secret"
    myunisoft_secret: str = "encaisse-3xampleK3y0fNobody12345"
    myunisoft_token: str = "myunisoft-example-token"


def fill(world: World) -> ExampleAccess:
    """Open the company at each partner and issue its invoices around the world's today."""
    access = ExampleAccess()
    today = paris_date(world.now)
    tool, token = world.factomos, access.factomos_token
    tool.add_company(token, access.siren, "Menuiserie Exemple SAS")
    payer = tool.add_contact(
        token,
        "Bureau Modèle SARL",
        siret="98765432400017",
        address="1 rue de l'Exemple",
        postcode="69001",
        city="Lyon",
        email="compta@bureau-modele.example.org",
    )
    person = tool.add_contact(token, "Camille Exemple", email="camille@example.org")

    def days(count: int) -> timedelta:
        return timedelta(days=count)

    late = tool.add_invoice("F-0101", payer, today - days(90), today - days(60), 120_000)
    tool.add_invoice("F-0102", payer, today - days(40), today - days(10), 48_050)
    tool.add_invoice("F-0103", payer, today - days(5), today + days(25), 9_900)
    tool.add_invoice("F-0104", person, today - days(70), None, 15_000)
    tool.add_invoice(
        "AC-0105", payer, today - days(80), today - days(50), 30_000, kind="down-payment"
    )
    tool.add_invoice("F-0106", payer, today - days(60), today - days(45), -18_000, kind="credit")
    credited = tool.add_invoice("F-0107", payer, today - days(75), today - days(45), 60_000)
    paid = tool.add_invoice("F-0108", person, today - days(50), today - days(20), 22_000)
    tool.customer_pays(late, 20_000, today - days(30))
    tool.credit_note(credited, 10_000, today - days(15))
    tool.customer_pays(paid, 22_000, today - days(3))
    other, key = world.libeo, access.libeo_api_key
    other.add_company(key, f"{access.siren}00010", "Menuiserie Exemple SAS")
    other.add_receivable(
        key, "L-0201", "Bureau Modèle SARL", "987654324", today - days(70), today - days(40), 75_000
    )
    bought = other.add_payable(
        key, "ACH-77", "Scierie Modèle SA", "999100019", today - days(40), today - days(10), 31_000
    )
    other.schedule_payment(bought, today + days(5))
    world.gcollect.register_creditor(
        access.siren,
        "Menuiserie Exemple SAS",
        access.gcollect_client_id,
        access.gcollect_client_secret,
    )
    _fill_dossier(world, access)
    return access


def _fill_dossier(world: World, access: ExampleAccess) -> None:
    """Keep the company's dossier at its accountant's: last year carried forward, this one open."""
    today, tool = paris_date(world.now), world.myunisoft
    tool.register_partner(access.myunisoft_secret)
    firm = tool.add_firm("Cabinet Exemple", "48210377700017")
    years = [(date(year, 1, 1), date(year, 12, 31)) for year in (today.year - 1, today.year)]
    dossier = tool.add_dossier(firm, "Menuiserie Exemple SAS", access.siren, years)
    tool.society_key(dossier.society_id, token=access.myunisoft_token)
    payer = dossier.add_customer("Bureau Modèle SARL", siren="987654324", city="LYON")
    term = dossier.term(30, end_of_month=True)
    person = dossier.add_customer("Camille Exemple", term=term)
    old = date(today.year - 1, 11, 15)
    dossier.issue("V0091", payer, old, (old + timedelta(days=30), 84_000))
    dossier.carry_forward(old)
    day = date(today.year, 1, 10)
    halves = [(day + timedelta(days=span), 30_025) for span in (10, 20)]
    dossier.issue("V0101", payer, day, *halves)
    dossier.issue("V0102", person, day, (None, 15_000))
    dossier.receive(payer, today, 10_025, number="V0101", lettered=True)
