"""Invent the people of the demo from a seed: a seller, its customers, their official numbers.

SIRENs have a right key and begin with 999 (299 for the public body), so that a check of the key
passes and none is meant to be anybody's. Names are made-up words, addresses are at example.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["company", "public", "individual", "unidentified", "foreign"]

TRADES = (
    "Menuiserie",
    "Garage",
    "Imprimerie",
    "Brasserie",
    "Charpente",
    "Transports",
    "Pépinière",
    "Fonderie",
    "Librairie",
    "Serrurerie",
    "Verrerie",
    "Cabinet",
    "Papeterie",
    "Couverture",
    "Traiteur",
    "Scierie",
)
NAMES = (
    "Brivalon",
    "Tercelède",
    "Maudrec",
    "Solvairat",
    "Pontacel",
    "Quérignac",
    "Hautelouvre",
    "Vérandine",
    "Castrelon",
    "Obernade",
    "Fauvalier",
    "Guermontel",
    "Lissandre",
    "Rochemeyre",
    "Dorlévant",
    "Ysembelle",
    "Jarzenac",
    "Nivolette",
    "Aubrezan",
    "Ermitande",
    "Belcastaing",
    "Orvaldère",
    "Mirebaudet",
    "Tresselin",
    "Combrelade",
    "Valfroissy",
    "Ardenvaux",
    "Pléssidoux",
    "Roquanville",
    "Esterlande",
    "Haumesnard",
    "Chavrigeon",
)
FORMS = ("SARL", "SAS", "EURL", "SA")
PLACES = (
    ("44000", "Nantes"),
    ("69003", "Lyon"),
    ("59000", "Lille"),
    ("35000", "Rennes"),
    ("33000", "Bordeaux"),
    ("67000", "Strasbourg"),
    ("31000", "Toulouse"),
    ("21000", "Dijon"),
    ("63000", "Clermont-Ferrand"),
    ("14000", "Caen"),
)
STREETS = ("rue des Tilleuls", "quai du Levant", "avenue de la Halle", "chemin des Forges")


@dataclass(frozen=True, slots=True)
class Party:
    """Be a seller or a customer; `siren` is None for who has none (a person, a foreigner)."""

    name: str
    kind: Kind
    siren: str | None
    street: str
    postcode: str
    city: str
    country: str
    email: str
    vat_id: str | None = None

    @property
    def siret(self) -> str | None:
        """Give the SIRET of the head office, with a right key."""
        return None if self.siren is None else with_key(self.siren + "0001")


def with_key(digits: str) -> str:
    """Add the digit that makes the Luhn sum a multiple of ten (INSEE's key)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def french_vat(siren: str) -> str:
    """Write the intracommunity number of a SIREN (CGI 286 ter; key: (12 + 3 x SIREN % 97) % 97)."""
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


class Inventor:
    """Draw parties, never the same name or number twice."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._names = list(NAMES)
        chance.shuffle(self._names)
        self._taken: set[str] = set()

    def _name(self) -> str:
        """Draw a name nobody has yet: a plain one while there are any, then two of them joined."""
        if not self._names:
            self._names = [f"{one}-{other}" for one in NAMES for other in NAMES if one != other]
            self._chance.shuffle(self._names)
        return self._names.pop()

    def company(self) -> Party:
        """Invent a French company with its SIREN."""
        name = f"{self._chance.choice(TRADES)} {self._name()}"
        siren = self._siren("999")
        return self._at_home(
            f"{name} {self._chance.choice(FORMS)}", "company", siren, french_vat(siren)
        )

    def public_body(self) -> Party:
        """Invent a commune; its SIREN begins with 2, as those of public bodies do."""
        name = self._name()
        return self._at_home(f"Commune de {name}-sur-Aube", "public", self._siren("299"), None)

    def person(self) -> Party:
        """Invent a consumer: no official number."""
        return self._at_home(f"Camille {self._name()}", "individual", None, None)

    def unidentified(self) -> Party:
        """Invent a company whose card nobody completed."""
        return self._at_home(f"Ets {self._name()}", "unidentified", None, None)

    def foreigner(self) -> Party:
        """Invent a German company with a VAT number only."""
        name = self._name()
        return Party(
            name=f"{name} GmbH",
            kind="foreign",
            siren=None,
            street="Lindenweg 4",
            postcode="50667",
            city="Köln",
            country="DE",
            email=_mail(name),
            vat_id="DE136695976",
        )

    def _at_home(self, name: str, kind: Kind, siren: str | None, vat: str | None) -> Party:
        postcode, city = self._chance.choice(PLACES)
        number = self._chance.randint(1, 90)
        street = f"{number} {self._chance.choice(STREETS)}"
        return Party(name, kind, siren, street, postcode, city, "FR", _mail(name), vat)

    def _siren(self, prefix: str) -> str:
        while True:
            body = prefix + "".join(str(self._chance.randrange(10)) for _ in range(5))
            siren = with_key(body)
            if siren not in self._taken:
                self._taken.add(siren)
                return siren


def _mail(name: str) -> str:
    plain = "".join(c for c in name.lower().split()[-1] if "a" <= c <= "z")
    return f"compta@{plain or 'client'}.example.org"
