"""One cabinet with two dossiers, and the calls of a connector written out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import httpx

from encaisse_simulator import World
from encaisse_simulator.myunisoft import HOST, Bookkeeping
from encaisse_simulator.myunisoft.dossier import Firm

PARTNER_SECRET = "encaisse-Ab3dEf6hIj9kLm2nOp5qRs8t"
YEARS = [(date(year, 1, 1), date(year, 12, 31)) for year in (2025, 2026)]


@dataclass
class Office:
    """One cabinet with a MONO and a MULTI dossier, reached with a key of each kind."""

    world: World
    http: httpx.Client
    firm: Firm
    mono: Bookkeeping
    multi: Bookkeeping
    customer: str
    other: str
    tokens: dict[str, str] = field(default_factory=dict[str, str])

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "mono",
        headers: Mapping[str, str] | None = None,
        body: object = None,
        **params: object,
    ) -> httpx.Response:
        """Call as a connector would."""
        sent = {
            "X-Third-Party-Secret": PARTNER_SECRET,
            "Authorization": f"Bearer {self.tokens[token]}",
            **(headers or {}),
        }
        url = f"https://{HOST}/api/v1{path}"
        if body is None:
            return self.http.request(method, url, params=params, headers=sent)
        return self.http.request(method, url, params=params, headers=sent, json=body)

    def mad(self, name: str, *, token: str = "mono", **params: object) -> list[dict[str, object]]:
        """Read a list of MAD."""
        answer = self.call("GET", f"/mad/{name}", token=token, version="1.0.0", **params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()
        return found

    def exercice(self, year: int, *, token: str = "mono") -> str:
        """Find an exercice's id by the year it begins."""
        for each in self.mad("exercices", token=token):
            period = each["period"]
            assert isinstance(period, dict)
            if period["start"] == f"{year}-01-01":
                return str(each["producerId"])
        raise KeyError(year)

    def open_lines(self, year: int = 2026, *, token: str = "mono") -> list[dict[str, object]]:
        """Pull what a connector pulls: lines not lettered, then partly lettered."""
        exercice = self.exercice(year, token=token)
        return [
            row
            for state in ("none", "partial")
            for row in self.mad(
                "movements",
                token=token,
                idExercice=exercice,
                classAccount="411%",
                lettering=state,
            )
        ]

    def account_id(self, number: str, *, token: str = "mono") -> int:
        """Find an account's id by its number."""
        (found,) = self.mad("accounts", token=token, classAccount=number)
        return int(str(found["producerId"]))

    def journal_id(self, kind: str, *, token: str = "mono") -> int:
        """Find a journal's id by its type."""
        (found,) = self.call("GET", "/diary", token=token, type=kind).json()
        return int(found["diary_id"])

    def payment(
        self, number: str, cents: int, *, token: str = "mono", **changes: object
    ) -> dict[str, object]:
        """Write the entry of a payment collected by another: debit 467, credit the customer."""
        customer = self.customer if token == "mono" else self.other
        society = self.mono if token == "mono" else self.multi
        amount = cents / 100
        line = {"deadline": "2026-11-24", "piece": "GCOP1", "piece2": number, "label": "REGLT"}
        return {
            "diary_id": self.journal_id("OD", token=token),
            "etablissement_id": society.society_id,
            "date_piece": "2026-11-24",
            "entry_origin_partner_id": f"GCO-{number}-{cents}",
            "json": '{"payment": "P-1"}',
            "entry_list": [
                {
                    "account_id": self.account_id("4671000000", token=token),
                    "debit": amount,
                    "credit": 0,
                    **line,
                },
                {
                    "account_id": self.account_id(customer, token=token),
                    "debit": 0,
                    "credit": amount,
                    **line,
                },
            ],
            **changes,
        }

    def post(
        self, number: str, cents: int, *, token: str = "mono", **changes: object
    ) -> httpx.Response:
        """Post that entry."""
        body = self.payment(number, cents, token=token, **changes)
        return self.call("POST", "/entry", token=token, body=body, type="e")

    def letter(self, code: str, *line_ids: int, token: str = "mono") -> httpx.Response:
        """Letter lines."""
        lines = [{"line_entry_id": each} for each in line_ids]
        body = {"lettering": code, "line_entry_list": lines}
        return self.call("PUT", "/entry/lettering", token=token, body=body)

    def next_code(self, *, partial: bool = False, token: str = "mono") -> str:
        """Ask for the customer's next code."""
        customer = self.customer if token == "mono" else self.other
        answer = self.call(
            "GET",
            "/account/next_lettering",
            token=token,
            account_id=self.account_id(customer, token=token),
            partial=str(partial).lower(),
        )
        return str(answer.json()["next_lettering"])


def open_office(world: World, http: httpx.Client) -> Office:
    """Set an office up in a world reached by a client."""
    tool = world.myunisoft
    tool.register_partner(PARTNER_SECRET)
    firm = tool.add_firm("Cabinet Exemple", "48210377700017")
    mono = tool.add_dossier(firm, "Atelier Modèle SARL", "394802151", YEARS, reference="ATEL1")
    multi = tool.add_dossier(firm, "Fonderie Exemple SAS", "609311477", YEARS, lettering="MULTI")
    customer = mono.add_customer("Bureau Modèle", siren="712804632", city="LYON")
    office = Office(world, http, firm, mono, multi, customer, multi.add_customer("Imprimerie"))
    office.tokens = {
        "mono": tool.society_key(mono.society_id),
        "multi": tool.society_key(multi.society_id),
        "firm": tool.firm_key(firm),
    }
    return office


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Read the status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]
