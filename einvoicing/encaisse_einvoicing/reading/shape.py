"""Handle the raw dictionaries between the walk and the model, with their types."""

from encaisse_einvoicing.model import Extensions, LineExtensions
from encaisse_einvoicing.reading.plan import Raw, Scalar
from encaisse_einvoicing.terms import EXTENSIONS

PARTIES = {
    "seller": "vendeur",
    "buyer": "acheteur",
    "payee": "bénéficiaire",
    "tax_representative": "représentant fiscal",
    "extensions.buyer_agent": "agent de l'acheteur",
    "extensions.payer": "payeur",
    "extensions.sales_agent": "agent du vendeur",
    "extensions.invoicee": "facturé",
    "extensions.invoicer": "facturant",
}
"""Field of each party of a document -> what it is, in French."""
ITEM_SELLER = "extensions.item_seller"
_EXTENDED = frozenset(
    EXTENSIONS + name for model in (Extensions, LineExtensions) for name in model.model_fields
)
"""Every field an extension can have, as the table names it."""


def text(raw: Raw, key: str) -> str | None:
    """Give a text value, None when absent or of another kind."""
    value = raw.get(key)
    return value if isinstance(value, str) else None


def group(raw: Raw, key: str) -> Raw:
    """Give a group, an empty one when absent."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def groups(raw: Raw, key: str) -> list[Raw]:
    """Give the groups of a repeated field, none when absent."""
    value = raw.get(key)
    return value if isinstance(value, list) else []


def taken(raw: Raw, key: str) -> list[Raw]:
    """Take the groups of a repeated field out, none when absent."""
    value = raw.pop(key, None)
    return value if isinstance(value, list) else []


def scalar(raw: Raw, key: str) -> Scalar | None:
    """Give a single value of any type."""
    value = raw.get(key)
    return None if isinstance(value, (dict, list)) else value


def move(source: Raw, key: str, target: Raw, field: str) -> None:
    """Move a value to another field, unless that one is already taken."""
    value = source.pop(key, None)
    if value is not None:
        target.setdefault(field, value)


def parties(raw: Raw) -> list[tuple[str, Raw]]:
    """List each party of a document and of its lines, with what it is in French."""
    found = [
        (what, party)
        for field, what in PARTIES.items()
        if field in raw and isinstance(party := raw[field], dict)
    ]
    for line in groups(raw, "lines"):
        if ITEM_SELLER in line and isinstance(seller := line[ITEM_SELLER], dict):
            found.append(("vendeur de l'article", seller))
    return found


def gather_extensions(raw: Raw) -> None:
    """Lay the fields outside the core under `extensions`, as the invoice and its lines do."""
    if _EXTENDED.isdisjoint(raw):
        return
    found = [key for key in raw if key.startswith(EXTENSIONS)]
    raw[EXTENSIONS.rstrip(".")] = {key[len(EXTENSIONS) :]: raw.pop(key) for key in found}


def spread_extensions(raw: Raw) -> None:
    """Undo `gather_extensions`."""
    for key, value in group(raw, EXTENSIONS.rstrip(".")).items():
        raw[EXTENSIONS + key] = value
    raw.pop(EXTENSIONS.rstrip("."), None)
