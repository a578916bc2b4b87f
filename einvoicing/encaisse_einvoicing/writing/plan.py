"""Compile the table and the order of a schema into the tree a document is written along."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from encaisse_einvoicing.reading import cii, ubl
from encaisse_einvoicing.reading.walker import Raw, Syntax
from encaisse_einvoicing.terms import EXTENSIONS, Column, Group, Kind, TableBroken, Term, table
from encaisse_einvoicing.writing.levels import LEVELS, Level, LevelRules
from encaisse_einvoicing.writing.order import Bounds, Schema, bounds

SYNTAXES: Final[dict[Column, Syntax]] = {
    "cii": cii.SYNTAX,
    "ubl": ubl.INVOICE,
    "credit_note": ubl.CREDIT_NOTE,
}
CHOICES: Final[dict[str, Callable[[Raw], bool]]] = {
    "ram:ID": lambda item: "scheme" not in item,
    "ram:GlobalID": lambda item: "scheme" in item,
    "ram:IBANID": lambda item: _is_iban(item.get("account")),
    "ram:ProprietaryID": lambda item: not _is_iban(item.get("account")),
}
"""Where a term has two elements: which one an item is written in."""


ONCE: Final = frozenset(("tax_point_date",))
"""Terms of an outer group written in the first item only; others stand in each (CII-SR-461)."""


def _is_iban(value: object) -> bool:
    return isinstance(value, str) and value[:2].isalpha() and value[2:4].isdigit()


@dataclass(slots=True)
class Attribute:
    """Be one attribute of an element that holds a value."""

    name: str
    term: Term
    level: int
    required: bool


@dataclass(slots=True)
class Node:
    """Be one element that can be written, with what it holds; children stand in schema order."""

    tag: str
    bounds: Bounds
    children: "list[Node]" = field(default_factory=list["Node"])
    leaf: Term | None = None
    leaf_level: int = 0
    group: Group | None = None
    level: int = 0
    """Frame of the group's items; that of its parent is one below."""
    attributes: list[Attribute] = field(default_factory=list[Attribute])
    choice: Callable[[Raw], bool] | None = None
    constant: bool = False
    """Nothing below is said by the invoice."""
    foreign: bool = False
    """Terms of an outer group live inside: they may call for the element by themselves."""
    empty: bool = False
    """The schema wants the element even when there is nothing to put in it."""
    rest: "Node | None" = None
    """The same for the second item on, without the outer groups."""
    required: "tuple[Node, ...]" = ()
    plain: bool = False
    """A value without attributes, in one element: the common case, written in one go."""
    probe: tuple[int, str] | None = None
    """Frame and field without which there is nothing to write here, where one decides."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Tell of one group what this document cannot say, and what it must."""

    unplaced: tuple["Term | Group", ...]
    musts: tuple["Term | Group", ...]
    inner: tuple[tuple[str, "Shape"], ...]
    known: frozenset[str]
    """Every field the table has for the group: another one must not vanish."""


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Be everything known beforehand about one kind of document."""

    syntax: Syntax
    root: Node
    shape: Shape
    instalments: bool
    """Several dates of payment have a place."""


_AT_ROOT: Final = Bounds(0, True, 1)


@cache
def write_plan(column: Column, level: Level) -> WritePlan:
    """Compile the plan for a document and a level, once."""
    rules = LEVELS[level]
    schema = rules.cii if column == "cii" else rules.ubl
    assert schema is not None, f"{level} is not a level of UBL"
    compiler = _Compiler(column, schema, rules)
    root = Node(compiler.syntax.root, _AT_ROOT)
    shape = compiler.group(table(), root, 0, lines=False)
    for node in _all(root):
        node.children.sort(key=lambda each: each.bounds.position)
    _finish(root, 0)
    several = any(
        node.group is not None and node.group.field == "terms" and node.bounds.repeats
        for node in _all(root)
    )
    return WritePlan(compiler.syntax, root, shape, several)


class _Compiler:
    def __init__(self, column: Column, schema: Schema, rules: LevelRules) -> None:
        self.column: Final = column
        self.syntax: Final = SYNTAXES[column]
        self._bounds: Final = bounds(schema)
        self._rules: Final = rules

    def group(self, group: Group, start: Node, level: int, *, lines: bool) -> Shape:
        """Place the members of a group under its element."""
        unplaced: list[Term | Group] = []
        musts: list[Term | Group] = []
        inner: list[tuple[str, Shape]] = []
        for member in group.members:
            if member.cardinality == "0..0":
                continue
            below = self._place(member, start, level, lines=lines)
            if below is None:
                if not (isinstance(member, Term) and member.kind is Kind.CONSTANT):
                    unplaced.append(member)
                continue
            inner.extend((member.field, each) for each in below[:1])
            relaxed = self._rules.bare or (self._rules.extended and lines and member.field != "id")
            if (
                member.cardinality.startswith("1")
                and not relaxed
                and not self._is_attribute(member)
            ):
                musts.append(member)
        known = frozenset(member.field for member in group.members)
        return Shape(tuple(unplaced), tuple(musts), tuple(inner), known)

    def _is_attribute(self, member: "Term | Group") -> bool:
        return any("@" in place for place in member.places[self.column])

    def _place(
        self, member: "Term | Group", start: Node, level: int, *, lines: bool
    ) -> list[Shape] | None:
        """Give the shapes of a placed group, nothing of a placed term, None when unplaced."""
        core_only = not self._rules.extended and self.column != "cii"
        if core_only and (member.id.startswith("EXT-") or member.field.startswith(EXTENSIONS)):
            return None
        places = member.places[self.column]
        shapes: list[Shape] | None = None
        for place in places:
            path, _, attribute = place.rpartition("@") if "@" in place else (place, "", "")
            nodes = self._descend(start, path.rstrip("/"))
            if nodes is None:
                continue
            node = nodes[-1] if nodes else start
            choice = CHOICES.get(node.tag) if len(places) > 1 else None
            shapes = [] if shapes is None else shapes
            if isinstance(member, Group):
                opening = node
                if member.many:
                    opening = next((n for n in reversed(nodes) if n.bounds.repeats), node)
                if opening.group is not None:
                    raise TableBroken(f"{opening.tag}: {member.field} and {opening.group.field}")
                opening.group, opening.level, opening.choice = member, level + 1, choice
                inside = lines or member.field == "lines"
                shapes.append(self.group(member, node, level + 1, lines=inside))
            elif attribute:
                limits = self._bounds.get((node.tag, f"@{attribute}"))
                if limits is None:
                    return None
                required = limits.required or member.cardinality == "1..1"
                node.attributes.append(Attribute(attribute, member, level, required))
            elif choice is None and node.leaf is not None:
                continue
            else:
                node.leaf, node.leaf_level = member, level
                if choice is None:
                    break
                node.choice = choice
        return shapes

    def _descend(self, start: Node, path: str) -> list[Node] | None:
        steps = [step for step in path.split("/") if step not in ("", ".")]
        limits: list[Bounds] = []
        parent = start.tag
        for step in steps:
            found = self._bounds.get((parent, step))
            if found is None:
                return None
            limits.append(found)
            parent = step
        nodes: list[Node] = []
        node = start
        for step, limit in zip(steps, limits, strict=True):
            child = next((each for each in node.children if each.tag == step), None)
            if child is None:
                child = Node(step, limit)
                node.children.append(child)
            nodes.append(child)
            node = child
        return nodes


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all(child)


def _levels(node: Node) -> Iterator[int]:
    """Give the frames the terms and groups below read from."""
    for each in _all(node):
        if each.leaf is not None and each.leaf.kind is not Kind.CONSTANT:
            yield each.leaf_level
        if each.group is not None and each is not node:
            yield each.level - 1


def _finish(node: Node, level: int) -> None:
    """Work out what depends on the whole tree."""
    here = node.level if node.group is not None else level
    for child in node.children:
        _finish(child, here)
    node.required = tuple(child for child in node.children if child.bounds.required)
    if node.leaf is not None:
        node.constant = node.leaf.kind is Kind.CONSTANT
        if node.group is None and not node.attributes and not node.constant:
            node.probe = (node.leaf_level, node.leaf.field)
            node.plain = node.choice is None
        elif node.group is not None:
            node.probe = (node.level - 1, node.group.field)
        return
    node.constant = all(child.constant for child in node.children)
    node.empty = node.bounds.required and not node.required
    if node.group is not None:
        node.foreign = any(found < here for found in _levels(node))
        if not node.foreign:
            node.probe = (node.level - 1, node.group.field)
        if node.group.many and node.foreign:
            node.rest = _without_outer_groups(node, here)


def _is_outer_group(node: Node, level: int) -> bool:
    return node.group is not None and node.level - 1 < level


def _is_said_once(node: Node) -> bool:
    leaves = [each.leaf for each in _all(node) if each.leaf is not None]
    return bool(leaves) and all(leaf.field in ONCE for leaf in leaves)


def _without_outer_groups(node: Node, level: int) -> Node:
    children = [
        _without_outer_groups(child, level)
        for child in node.children
        if not (_is_outer_group(child, level) or _is_said_once(child))
    ]
    return replace(
        node,
        children=children,
        required=tuple(child for child in children if child.bounds.required),
    )
