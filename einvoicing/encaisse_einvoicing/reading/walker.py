"""Walk a document once and gather what the table maps, by the table alone.

The result is `Raw`: nested dictionaries under the field names of the model, values already typed.
A large invoice has thousands of elements, so the loop over children handles a plain value in place
and asks lxml for nothing twice: each question makes a Python object.
"""

from typing import Final

from encaisse_einvoicing.issues import Issue, Refused, shortened
from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.reading.plan import (
    Convert,
    Converted,
    Leaf,
    Opening,
    Plan,
    Raw,
    Scalar,
    Step,
    Syntax,
    compile_plan,
)
from encaisse_einvoicing.terms import Term

__all__ = [
    "Convert",
    "Converted",
    "Plan",
    "Raw",
    "Scalar",
    "Syntax",
    "Walk",
    "compile_plan",
]

MAX_LINES: Final = 20_000
"""Lines of one invoice: above, the document is refused rather than left to eat the machine."""
MAX_UNMAPPED: Final = 200
"""Distinct unmapped paths listed for one document; the list is a report, not a copy."""
MAX_ISSUES: Final = 500
"""Issues listed for one document; the last one says that others were left out."""


class Walk:
    """Read one document along the compiled steps; use once."""

    def __init__(self, plan: Plan) -> None:
        """Start with nothing found."""
        self._plan: Final = plan
        self.issues: Final[list[Issue]] = []
        self.unmapped: Final[dict[str, None]] = {}
        self.currencies: Final[dict[str, str]] = {}
        """Currency of the amounts met -> where the first of them stands."""
        self._frames: Final[list[Raw]] = [{} for _ in range(plan.levels)]
        """The open group of each level; what is below the last one opened is stale."""
        self._lines = 0

    def read(self, root: Element) -> Raw:
        """Gather the whole document; raise `Refused` only for one beyond the caps."""
        self._children(root, self._plan.root)
        return self._frames[0]

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

    def _children(self, element: Element, step: Step) -> None:
        known = step.children
        for child in element:
            tag = child.tag
            found = known.get(tag)
            if found is None:
                self._skip(f"{step.path}/{self._printed(tag)}")
                continue
            names = child.keys()
            opens = found.opens
            if opens is not None:
                self._group(child, found, opens, names)
                continue
            if names:
                self._attributes(child, found, names)
            leaf = found.leaf
            if leaf is None:
                self._children(child, found)
            elif len(child):
                self._mixed(child, leaf, found)
            elif text := child.text:
                self._value(child, leaf, text, found)

    def _group(self, element: Element, step: Step, opens: Opening, names: list[str]) -> None:
        """Read a group in its own dictionary and put that under its parent."""
        frames, level = self._frames, opens.level
        outer = frames[level]
        fresh = frames[level] = {}
        if names:
            self._attributes(element, step, names)
        leaf = step.leaf
        if leaf is None:
            self._children(element, step)
        elif len(element):
            self._mixed(element, leaf, step)
        elif text := element.text:
            self._value(element, leaf, text, step)
        frames[level] = outer
        if fresh:
            self._close(element, step, opens, frames[level - 1], fresh)

    def _attributes(self, element: Element, step: Step, names: list[str]) -> None:
        for name in names:
            leaf = step.attributes.get(name)
            if leaf is not None:
                if text := element.get(name):
                    self._value(element, leaf, text, step)
            elif name not in step.silent:
                self._skip(f"{step.path}/@{self._printed(name)}")

    def _mixed(self, element: Element, leaf: Leaf, step: Step) -> None:
        self._report(
            leaf.term,
            "mixed_content",
            "contient d'autres balises au lieu d'une valeur ; elle n'a pas été lue",
            element.text or "",
            element,
            step,
        )

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

    def _value(self, element: Element, leaf: Leaf, text: str, step: Step) -> None:
        text = text.strip()
        if not text:
            return
        if len(text) > leaf.limit:
            self._report(
                leaf.term,
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
            if isinstance(converted, Converted):
                self._report(leaf.term, converted.code, converted.sentence, text, element, step)
                if converted.value is None:
                    return
                converted = converted.value
            value = converted
            if leaf.amount:
                currency = element.get("currencyID")
                if currency is not None and currency not in self.currencies:
                    self.currencies[currency] = f"{step.path}, ligne {element.sourceline}"
        elif leaf.constant is not None:
            if text != leaf.constant:
                self._report(
                    leaf.term,
                    "unexpected_value",
                    f"n'est pas la valeur attendue ({leaf.constant})",
                    text,
                    element,
                    step,
                )
            return
        frame = self._frames[leaf.level]
        before = frame.get(leaf.field)
        if before is None:
            frame[leaf.field] = value
        else:
            self._again(element, leaf, before, value, text, step)

    def _again(
        self,
        element: Element,
        leaf: Leaf,
        before: "Scalar | Raw | list[Raw]",
        value: Scalar,
        text: str,
        step: Step,
    ) -> None:
        """Add to a text in several elements; else keep the first mention of a term."""
        term = leaf.term
        if term.many:
            self._frames[leaf.level][leaf.field] = f"{before}\n{value}"
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
