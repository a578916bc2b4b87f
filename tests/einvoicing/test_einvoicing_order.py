"""The order of elements a writer follows is the one of the official schemas."""

from importlib.resources import files

from tests.einvoicing.schemas import SYNTAXES, cardinalities, printed, types_of

from encaisse_einvoicing.reading import cii
from encaisse_einvoicing.writing.order import COLUMNS, bounds


def test_order_tsv_is_what_the_official_schemas_say() -> None:
    kept = files("encaisse_einvoicing.writing").joinpath("order.tsv").read_text("utf-8")
    assert kept == printed(), "python -m tests.einvoicing.schemas > .../writing/order.tsv"


def test_each_level_of_cii_keeps_the_order_of_the_whole_message() -> None:
    """One list of children per parent serves the six schemas."""
    rows = cardinalities()
    uris = dict(cii.SYNTAX.namespaces)
    for level, syntax in SYNTAXES[:6]:
        assert syntax is cii.SYNTAX
        types = types_of(level)
        root = f"{{{uris['rsm']}}}CrossIndustryInvoice"
        kinds = {cii.SYNTAX.root: types.root_type(root)}
        waiting = [cii.SYNTAX.root]
        while waiting:
            parent = waiting.pop()
            listed = [child for above, child in rows if above == parent]
            found: list[str] = []
            for child in types.children(kinds[parent]):
                uri, _, local = child.name[1:].partition("}")
                prefix = next(key for key, value in uris.items() if value == uri)
                short = f"{prefix}:{local}"
                if short in listed:
                    found.append(short)
                    if short not in kinds:
                        kinds[short] = child.type
                        waiting.append(short)
            assert found == [child for child in listed if child in found], (level, parent)


def test_every_schema_has_its_bounds() -> None:
    for column in COLUMNS:
        assert len(bounds(column)) > 30
