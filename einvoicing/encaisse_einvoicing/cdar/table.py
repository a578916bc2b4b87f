"""Load `message.tsv`: where a life-cycle message keeps each datum, to read and to write it."""

from functools import cache
from importlib.resources import files
from typing import Final

from encaisse_einvoicing.terms import Column, Group, Kind, TableBroken, Term

COLUMN: Final[Column] = "cdar"


@cache
def message_table() -> Group:
    """Read the table once; the root group is the message itself."""
    text = files("encaisse_einvoicing.cdar").joinpath("message.tsv").read_text("utf-8")
    return parse_table(text)


def parse_table(text: str) -> Group:
    """Build the tree of groups from five columns; raise `TableBroken` with the line."""
    root = Group(id="", field="", label="message", places={COLUMN: (".",)})
    groups: dict[str, Group] = {"": root}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 5 or not all(cells):
            raise TableBroken(f"line {number}: not five full columns")
        identifier, dotted, kind, label, path = cells
        owner, _, name = dotted.rpartition(".")
        if owner not in groups:
            raise TableBroken(f"line {number}: no group {owner!r} above {dotted!r}")
        identifier = "" if identifier == "-" else identifier
        places: dict[Column, tuple[str, ...]] = {
            COLUMN: tuple(choice.strip() for choice in path.split("|"))
        }
        if kind in ("group", "groups"):
            group = Group(
                id=identifier, field=name, label=label, places=places, many=kind == "groups"
            )
            groups[dotted] = group
            groups[owner].members.append(group)
            continue
        try:
            known = Kind(kind.removesuffix("*"))
        except ValueError:
            raise TableBroken(f"line {number}: unknown kind {kind!r}") from None
        groups[owner].members.append(
            Term(
                id=identifier,
                field=name,
                kind=known,
                label=label,
                places=places,
                many=kind.endswith("*"),
            )
        )
    return root
