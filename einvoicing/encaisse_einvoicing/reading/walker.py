"""Walk a document once and gather what the table maps, by the table alone.

The table is compiled per syntax into a tree of steps keyed by qualified tag, so reading costs
one dictionary look-up per element whatever the number of terms. The result is `Raw`: nested
dictionaries under the field names of the model, values already typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from encaisse_einvoicing.issues import Issue, Refused, shortened
from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.terms import Column, Group, Kind, TableBroken, Term, table

Scalar: TypeAlias = str | Decimal | date | bool
Raw: TypeAlias = "dict[str, Scalar | Raw | list[Raw]]"

MAX_LINES: Final = 20_000
"""Lines of one invoice: above, the document is refused rather than left to eat the machine."""
MAX_UNMAPPED: Final = 200
"""Distinct unmapped paths listed for one document; the list is a report, not a copy."""
MAX_ISSUES: Final = 500
"""Issues listed for one document; the last one says that others were left out."""
MAX_TEXT: Final[Mapping[Kind, int]] = {
    Kind.TEXT: 100_000,
    Kind.BINARY: 20 * 1024 * 1024,
}
MAX_TOKEN: Final = 1_000
"""Characters of a code, an identifier, a date or a number."""


class Converted(NamedTuple):
    """Be what a text became: a value, an issue (code, rest of the French sentence), or both."""

    value: Scalar | None
    code: str = ""
    sentence: str = ""


Convert: TypeAlias = Callable[[str, Element], Converted]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Be where one term is read: its name in the raw dictionary and how it converts."""

    term: Term
    level: int
    convert: Convert | None
    limit: int


@dataclass(frozen=True, slots=True)
class Opening:
    """Open a group: a fresh dictionary at `level`, under the one a level below."""

    group: Group
    level: int


@dataclass(slots=True)
class Step:
    """Be one element the table knows, with what to do there and which children it knows."""

    path: str
    children: "dict[str, Step]" = field(default_factory=dict["str", "Step"])
    opens: Opening | None = None
    leaf: Leaf | None = None
    attributes: dict[str, Leaf] = field(default_factory=dict[str, Leaf])
    silent: frozenset[str] = frozenset()


SILENT_ATTRIBUTES: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.AMOUNT: frozenset({"currencyID"}),
    Kind.DATE: frozenset({"format"}),
}
"""Attributes a conversion looks at itself."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """Describe one syntax to the walker: column, prefixes, conversions."""

    name: str
    column: Column
    root: str
    namespaces: Mapping[str, str]
    converters: Mapping[Kind, Convert]


@dataclass(frozen=True, slots=True)
class Plan:
    """Be the table compiled for one syntax: the tree of steps, and the prefixes to print."""

    root: Step
    prefixes: Mapping[str, str]


def compile_plan(syntax: Syntax) -> Plan:
    """Compile the table for one syntax into the tree the walker follows."""
    root = Step(f"/{syntax.root}")
    _compile(syntax, table(), root, 0)
    return Plan(root, {f"{{{uri}": prefix for prefix, uri in syntax.namespaces.items()})


def _compile(syntax: Syntax, group: Group, start: Step, level: int) -> None:
    for member in group.members:
        for place in member.places[syntax.column]:
            path, _, attribute = place.rpartition("@") if "@" in place else (place, "", "")
            step = _descend(syntax, start, path.rstrip("/"))
            if isinstance(member, Group):
                step.opens = Opening(member, level + 1)
                _compile(syntax, member, step, level + 1)
                continue
            limit = MAX_TEXT.get(member.kind, MAX_TOKEN)
            leaf = Leaf(member, level, syntax.converters.get(member.kind), limit)
            if attribute in step.attributes or (not attribute and step.leaf is not None):
                raise TableBroken(f"{step.path}: claimed twice, by {member.id or member.field} too")
            if attribute:
                step.attributes[attribute] = leaf
            else:
                step.leaf = leaf
                step.silent = SILENT_ATTRIBUTES.get(member.kind, frozenset())


def _descend(syntax: Syntax, step: Step, path: str) -> Step:
    for segment in path.split("/"):
        if segment in ("", "."):
            continue
        prefix, _, local = segment.partition(":")
        tag = f"{{{syntax.namespaces[prefix]}}}{local}"
        step = step.children.setdefault(tag, Step(f"{step.path}/{segment}"))
    return step


class Walk:
    """Read one document along the compiled steps; use once."""

    def __init__(self, plan: Plan) -> None:
        """Start with nothing found."""
        self._plan: Final = plan
        self.issues: Final[list[Issue]] = []
        self.unmapped: Final[dict[str, None]] = {}
        self.currencies: Final[dict[str, str]] = {}
        """Currency of the amounts met -> where the first of them stands."""
        self._lines = 0

    def read(self, root: Element) -> Raw:
        """Gather the whole document; raise `Refused` only for one beyond the caps."""
        raw: Raw = {}
        self._children(root, self._plan.root, [raw])
        return raw

    def report(self, code: str, message: str, where: str, term: str = "", raw: str = "") -> None:
        """Add an issue, up to the cap."""
        if len(self.issues) > MAX_ISSUES:
            return
        if len(self.issues) == MAX_ISSUES:
            code, where, term, raw = "too_many_issues", self._plan.root.path, "", ""
            message = f"Plus de {MAX_ISSUES} anomalies : les suivantes ne sont pas listées."
        self.issues.append(
            Issue(
                code=code,
                message=message,
                where=where,
                term=term or None,
                raw=shortened(raw) if raw else None,
            )
        )

    def _children(self, element: Element, step: Step, frames: list[Raw]) -> None:
        known = step.children
        for child in element:
            tag = child.tag
            found = known.get(tag)
            if found is None:
                self._skip(f"{step.path}/{self._printed(tag)}")
            else:
                self._step(child, found, frames)

    def _step(self, element: Element, step: Step, frames: list[Raw]) -> None:
        opens = step.opens
        if opens is not None:
            fresh: Raw = {}
            frames = [*frames[: opens.level], fresh]
            self._content(element, step, frames)
            if fresh:
                self._close(element, step, opens, frames[opens.level - 1], fresh)
        else:
            self._content(element, step, frames)

    def _content(self, element: Element, step: Step, frames: list[Raw]) -> None:
        names = element.keys()
        if names:
            for name in names:
                name = str(name)
                leaf = step.attributes.get(name)
                if leaf is not None:
                    self._value(element, leaf, element.get(name) or "", step, frames)
                elif name not in step.silent:
                    self._skip(f"{step.path}/@{self._printed(name)}")
        leaf = step.leaf
        if leaf is None:
            self._children(element, step, frames)
        elif len(element):
            self._report(
                leaf.term,
                "mixed_content",
                "contient d'autres balises au lieu d'une valeur ; elle n'a pas été lue",
                element.text or "",
                element,
                step,
            )
        else:
            self._value(element, leaf, element.text or "", step, frames)

    def _close(self, element: Element, step: Step, opens: Opening, parent: Raw, fresh: Raw) -> None:
        group = opens.group
        if group.many:
            items = parent.setdefault(group.field, [])
            assert isinstance(items, list)
            items.append(fresh)
            if group.field == "lines":
                self._lines += 1
                if self._lines > MAX_LINES:
                    raise Refused(
                        "too_many_lines",
                        f"La facture compte plus de {MAX_LINES} lignes : elle n'est pas lue. "
                        "Demandez au vendeur de la scinder.",
                    )
        elif group.field not in parent:
            parent[group.field] = fresh
        elif parent[group.field] != fresh:
            self.report(
                "repeated_group",
                f"{group.label} ({group.id}) apparaît plusieurs fois, différemment ; "
                "seule la première mention est retenue, à vérifier sur la facture.",
                f"{step.path}, ligne {element.sourceline}",
                group.id,
            )

    def _value(
        self, element: Element, leaf: Leaf, text: str, step: Step, frames: list[Raw]
    ) -> None:
        text = text.strip()
        if not text:
            return
        term = leaf.term
        if len(text) > leaf.limit:
            self._report(
                term,
                "text_too_long",
                f"est trop long ({len(text)} caractères)",
                text,
                element,
                step,
            )
            return
        value: Scalar = text
        if leaf.convert is not None:
            converted = leaf.convert(text, element)
            if converted.code:
                self._report(term, converted.code, converted.sentence, text, element, step)
            if converted.value is None:
                return
            value = converted.value
            if term.kind is Kind.AMOUNT:
                currency = element.get("currencyID")
                if currency is not None and currency not in self.currencies:
                    self.currencies[str(currency)] = f"{step.path}, ligne {element.sourceline}"
        elif term.kind is Kind.CONSTANT:
            if text != term.constant:
                self._report(
                    term,
                    "unexpected_value",
                    f"n'est pas la valeur attendue ({term.constant})",
                    text,
                    element,
                    step,
                )
            return
        frame = frames[leaf.level]
        before = frame.get(term.field)
        if before is None:
            frame[term.field] = value
        elif term.many:
            frame[term.field] = f"{before}\n{value}"
        elif before != value:
            self._report(
                term,
                "repeated_term",
                f"contredit une première mention ({before}), seule retenue",
                text,
                element,
                step,
            )

    def _report(
        self, term: Term, code: str, sentence: str, raw: str, element: Element, step: Step
    ) -> None:
        name = f"{term.label} ({term.id})" if term.id else term.label
        self.report(
            code,
            f"{name[0].upper()}{name[1:]} : « {shortened(raw)} » {sentence}. "
            "À vérifier sur la facture.",
            f"{step.path}, ligne {element.sourceline}",
            term.id,
            raw,
        )

    def _skip(self, path: str) -> None:
        if len(self.unmapped) < MAX_UNMAPPED:
            self.unmapped[path] = None

    def _printed(self, tag: str) -> str:
        """Print a qualified name with the prefix of its syntax, or in full when foreign."""
        namespace, closing, local = tag.rpartition("}")
        if not closing:
            return tag
        prefix = self._plan.prefixes.get(namespace)
        return f"{prefix}:{local}" if prefix else tag
