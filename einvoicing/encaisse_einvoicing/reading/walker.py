"""Walk a document once and gather what the table maps, by the table alone.

The result is `Raw`: nested dictionaries under the field names of the model, values already typed.
A large invoice has thousands of elements, and each question to lxml makes a Python object: nothing
is asked twice, and nothing that the table can answer.
"""

from collections.abc import Iterator, Sequence
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
MAX_ITEMS: Final = 10_000
"""Items of any other list (notes, due dates, identifiers): no honest document comes near."""
MAX_UNMAPPED: Final = 200
"""Distinct unmapped paths listed for one document; the list is a report, not a copy."""
MAX_ISSUES: Final = 500
"""Issues listed for one document; the last one says that others were left out."""
MAX_ANOMALIES: Final = 100_000
"""Anomalies of one document, listed or not: above, it is no document gone wrong but a trap."""


def _pass_over(elements: Iterator[Element], inside: int) -> None:
    """Leave out what is inside an element: its children, and theirs."""
    while inside:
        inside += len(next(elements)) - 1


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
        self._unlisted = 0

    def read(self, root: Element) -> Raw:
        """Gather the whole document; raise `Refused` only for one beyond the caps.

        One loop goes through the elements in the order of the document. An element's end is told
        by its children being counted down, since telling it otherwise costs an object each.
        """
        elements = root.iter()
        next(elements)  # the root itself, whose attributes say nothing
        step, left = self._plan.root, len(root)
        known, frames = step.children, self._frames
        waiting: list[tuple[Step, int, Element, Opening | None, Raw]] = []
        outer = frames[0]
        for element in elements:
            left -= 1
            found = known.get(element.tag)
            if found is None:
                self._skip(step, element.tag)
                _pass_over(elements, len(element))
            else:
                opens = found.opens
                if opens is not None:
                    outer = frames[opens.level]
                    frames[opens.level] = {}
                names = element.keys()
                if names and (found.attributes or len(names) > 1 or names[0] not in found.silent):
                    self._attributes(element, found, names)
                inside, leaf = len(element), found.leaf
                if leaf is None:
                    if inside:
                        waiting.append((step, left, element, opens, outer))
                        step, left, known = found, inside, found.children
                        continue
                elif inside:
                    self._mixed(element, leaf, found)
                    _pass_over(elements, inside)
                elif (text := element.text) and (text := text.strip()):
                    value: Scalar | None = text
                    if leaf.convert is not None or len(text) > leaf.limit:
                        value = self._converted(element, leaf, text, found)
                    if value is not None:
                        frame = frames[leaf.level]
                        if leaf.field in frame:
                            self._again(element, leaf, value, text, found)
                        else:
                            frame[leaf.field] = value
                if opens is not None:
                    self._close(element, found, opens, outer)
            while not left and waiting:
                closed = step
                step, left, element, opens, outer = waiting.pop()
                known = step.children
                if opens is not None:
                    self._close(element, closed, opens, outer)
        return frames[0]

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

    def _attributes(self, element: Element, step: Step, names: Sequence[str | bytes]) -> None:
        for name in map(str, names):
            leaf = step.attributes.get(name)
            if leaf is None:
                if name not in step.silent:
                    self._skip(step, name, "@")
            elif text := (element.get(name) or "").strip():
                value = self._converted(element, leaf, text, step)
                if value is None:
                    continue
                frame = self._frames[leaf.level]
                if leaf.field in frame:
                    self._again(element, leaf, value, text, step)
                else:
                    frame[leaf.field] = value

    def _mixed(self, element: Element, leaf: Leaf, step: Step) -> None:
        self._report(
            leaf.term,
            "mixed_content",
            "contient d'autres balises au lieu d'une valeur ; elle n'a pas été lue",
            (element.text or "").strip(),
            element,
            step,
        )

    def _close(self, element: Element, step: Step, opens: Opening, outer: Raw) -> None:
        """Put what a group gathered under its parent, and `outer` back in its place."""
        frames, level = self._frames, opens.level
        fresh = frames[level]
        frames[level] = outer
        if not fresh:
            return
        parent, field = frames[level - 1], opens.field
        if opens.many:
            items = parent.get(field)
            if items is None:
                parent[field] = [fresh]
            else:
                assert isinstance(items, list)
                items.append(fresh)
            if field == "lines":
                self._lines += 1
                if self._lines > MAX_LINES:
                    raise Refused(
                        "too_many_lines",
                        f"La facture compte plus de {MAX_LINES} lignes : elle n'est pas lue. "
                        "Demandez au vendeur de la scinder.",
                    )
            elif items is not None and len(items) > MAX_ITEMS:
                raise Refused(
                    "too_many_items",
                    f"Le document répète plus de {MAX_ITEMS} fois : {opens.group.label} "
                    f"({step.path}). Il n'est pas lu ; demandez à son auteur un fichier mesuré.",
                )
        elif field not in parent:
            parent[field] = fresh
        elif parent[field] != fresh:
            group = opens.group
            self.report(
                "repeated_group",
                f"{group.label} ({group.id}) apparaît plusieurs fois, différemment ; "
                f"seule la première mention est retenue, à vérifier sur {self._plan.document}.",
                f"{step.path}, ligne {element.sourceline}",
                group.id,
            )

    def _converted(self, element: Element, leaf: Leaf, text: str, step: Step) -> Scalar | None:
        """Turn a text into its value; None, with an issue, where it has none."""
        if len(text) > leaf.limit:
            self._report(
                leaf.term,
                "text_too_long",
                f"est trop long ({len(text)} caractères)",
                text,
                element,
                step,
            )
            return None
        if leaf.convert is None:
            return text
        found = leaf.convert(text, element)
        if isinstance(found, Converted):
            if found.code:
                self._report(leaf.term, found.code, found.sentence, text, element, step)
            value = found.value
        else:
            value = found
        if leaf.amount and value is not None:
            currency = element.get("currencyID")
            if currency is not None and currency not in self.currencies:
                self.currencies[currency] = f"{step.path}, ligne {element.sourceline}"
        return value

    def _again(self, element: Element, leaf: Leaf, value: Scalar, text: str, step: Step) -> None:
        """Add to a text in several elements; else keep the first mention of a term."""
        frame = self._frames[leaf.level]
        before = frame[leaf.field]
        term = leaf.term
        if term.many and len(str(before)) + len(text) <= leaf.limit:
            frame[leaf.field] = f"{before}\n{value}"
        elif term.many:
            self._report(
                term,
                "text_too_long",
                "s'ajoute à un texte déjà trop long ; ce qui précède est gardé",
                text,
                element,
                step,
            )
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
        if len(self.issues) > MAX_ISSUES:
            self._unlisted += 1
            if self._unlisted > MAX_ANOMALIES:
                raise Refused(
                    "too_many_issues",
                    f"Le fichier a plus de {MAX_ANOMALIES} anomalies : il n'est pas lu. "
                    "Demandez un fichier sain à son auteur.",
                )
            return
        name = f"{term.label} ({term.id})" if term.id else term.label
        self.report(
            code,
            f"{name[0].upper()}{name[1:]} : « {shortened(raw)} » {sentence}. "
            f"À vérifier sur {self._plan.document}.",
            f"{step.path}, ligne {element.sourceline}",
            term.id,
            raw,
        )

    def _skip(self, step: Step, name: str, mark: str = "") -> None:
        if len(self.unmapped) < MAX_UNMAPPED:
            self.unmapped[f"{step.path}/{mark}{self._printed(name)}"] = None

    def _printed(self, tag: str) -> str:
        """Print a qualified name with the prefix of its syntax, or in full when foreign."""
        namespace, closing, local = tag.rpartition("}")
        if not closing:
            return tag
        prefix = self._plan.prefixes.get(namespace)
        return f"{prefix}:{local}" if prefix else tag
