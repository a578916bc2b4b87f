"""Walk a document once and gather what the table maps, by the table alone.

The result is `Raw`: nested dictionaries under the field names of the model, values already typed.
A large invoice has thousands of elements, and each question to lxml makes a Python object: nothing
is asked twice, and nothing that the table can answer.
"""

from collections.abc import Iterator
from typing import Final

from encaisse_einvoicing.issues import Issue, Refused, shortened
from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.reading.plan import Convert, Plan, Syntax, compile_plan
from encaisse_einvoicing.reading.step import Converted, Leaf, Names, Opening, Raw, Scalar, Step
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


def _place(step: Step, element: Element) -> str:
    return f"{step.path}, ligne {element.sourceline}"


class Walk:
    """Read one document along the compiled steps; use once."""

    __slots__ = ("_plan", "_unlisted", "currencies", "frames", "issues", "unmapped")

    def __init__(self, plan: Plan) -> None:
        """Start with nothing found."""
        self._plan: Final = plan
        self.issues: Final[list[Issue]] = []
        self.unmapped: Final[dict[str, None]] = {}
        self.currencies: Final[dict[str, str]] = {}
        """Currency of the amounts met -> where the first of them stands."""
        self.frames: Final[list[Raw]] = [{} for _ in range(plan.levels)]
        """The open group of each level; what is below the last one opened is stale."""
        self._unlisted = 0

    def read(self, root: Element) -> Raw:
        """Gather the whole document; raise `Refused` only for one beyond the caps.

        One loop goes through the elements in the order of the document. An element's end is told
        by its children being counted down, since telling it otherwise costs an object each. What
        an invoice has hundreds of is done here, in one piece since calls cost as much as what they
        do; what is odd or rare has a method of its own.
        """
        frames, currencies, elements = self.frames, self.currencies, root.iter()
        next(elements)  # the root itself, whose attributes say nothing
        step, left = self._plan.root, len(root)
        known = step.known
        waiting: list[tuple[Step, int, Element, Raw | None]] = []
        waiting.append((step, 0, root, None))  # what the root's own end comes back to
        for element in elements:
            if (found := known(element.tag)) is None:
                self._unknown(step, element.tag)
                _pass_over(elements, len(element))
            else:
                names, outer = element.keys(), None
                if (opens := found.opens) is not None:
                    outer, frames[opens.level] = frames[opens.level], {}
                if names and (len(names) > 1 or names[0] != found.silent):
                    self._attributes(element, found, names)
                inside = len(element)
                if (leaf := found.leaf) is None:
                    if inside:
                        waiting.append((step, left, element, outer))
                        step, left, known = found, inside, found.known
                        continue
                elif inside:
                    self._mixed(element, leaf, found)
                    _pass_over(elements, inside)
                elif not (text := element.text) or not (text := text.strip()):
                    pass
                elif len(text) > leaf.limit:
                    self._too_long(element, leaf, text, found)
                else:
                    value: Scalar | None = text
                    if (convert := leaf.convert) is not None:
                        made = convert(text)
                        if type(made) is Converted:
                            value = self._odd(element, leaf, made, text, found)
                        else:
                            value = made
                    elif leaf.formatted is not None:
                        made = leaf.formatted(text, element.get("format") or "")
                        if type(made) is Converted:
                            value = self._odd(element, leaf, made, text, found)
                        else:
                            value = made
                    if value is not None:
                        if (field := leaf.field) in (frame := frames[leaf.level]):
                            self._again(element, leaf, value, text, found)
                        else:
                            frame[field] = value
                        if names and leaf.amount:
                            currency = element.get("currencyID")
                            if currency is not None and currency not in currencies:
                                currencies[currency] = _place(found, element)
                if outer is not None and opens is not None:
                    self._close(element, found, opens, outer)
            left -= 1
            while not left:
                closed = step
                step, left, element, outer = waiting.pop()
                if outer is not None and closed.opens is not None:
                    self._close(element, closed, closed.opens, outer)
                known = step.known
                left -= 1
        return frames[0]

    def _close(self, element: Element, step: Step, opens: Opening, outer: Raw) -> None:
        """Put what a group gathered under its parent, and `outer` back in its place."""
        frames, level = self.frames, opens.level
        fresh, frames[level] = frames[level], outer
        if not fresh:
            return
        parent, field = frames[level - 1], opens.field
        if field in parent:
            self._repeated(element, step, opens, fresh)
        else:
            parent[field] = [fresh] if opens.many else fresh

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

    def _attributes(self, element: Element, step: Step, names: Names) -> None:
        """Read the attributes of an element; those nobody knows are unmapped."""
        known, frames = step.attributes, self.frames
        for name in names:
            if (leaf := known.get(name)) is None:
                if name != step.silent:
                    self._unknown(step, str(name), "@")
            elif (text := element.get(name)) and (text := text.strip()):
                value = text if leaf.convert is None else self._converted(element, leaf, text, step)
                if len(text) > leaf.limit:
                    self._too_long(element, leaf, text, step)
                elif value is None:
                    pass
                elif leaf.field in (frame := frames[leaf.level]):
                    self._again(element, leaf, value, text, step)
                else:
                    frame[leaf.field] = value

    def _mixed(self, element: Element, leaf: Leaf, step: Step) -> None:
        """Report a term that holds other elements instead of a text."""
        self._report(
            leaf.term,
            "mixed_content",
            "contient d'autres balises au lieu d'une valeur ; elle n'a pas été lue",
            (element.text or "").strip(),
            element,
            step,
        )

    def _too_long(self, element: Element, leaf: Leaf, text: str, step: Step) -> None:
        """Report a text beyond what its kind may be."""
        self._report(
            leaf.term,
            "text_too_long",
            f"est trop long ({len(text)} caractères)",
            text,
            element,
            step,
        )

    def _repeated(self, element: Element, step: Step, opens: Opening, fresh: Raw) -> None:
        """Add to a list of groups, up to its cap; else keep the first mention of a group."""
        parent, field = self.frames[opens.level - 1], opens.field
        before = parent[field]
        if opens.many:
            assert isinstance(before, list)
            before.append(fresh)
            if field == "lines" and len(before) > MAX_LINES:
                raise Refused(
                    "too_many_lines",
                    f"La facture compte plus de {MAX_LINES} lignes : elle n'est pas lue. "
                    "Demandez au vendeur de la scinder.",
                )
            if field != "lines" and len(before) > MAX_ITEMS:
                raise Refused(
                    "too_many_items",
                    f"Le document répète plus de {MAX_ITEMS} fois : {opens.group.label} "
                    f"({step.path}). Il n'est pas lu ; demandez à son auteur un fichier mesuré.",
                )
        elif before != fresh:
            group = opens.group
            self.report(
                "repeated_group",
                f"{group.label} ({group.id}) apparaît plusieurs fois, différemment ; "
                f"seule la première mention est retenue, à vérifier sur {self._plan.document}.",
                _place(step, element),
                group.id,
            )

    def _converted(self, element: Element, leaf: Leaf, text: str, step: Step) -> Scalar | None:
        assert leaf.convert is not None
        found = leaf.convert(text)
        return self._odd(element, leaf, found, text, step) if type(found) is Converted else found

    def _odd(
        self, element: Element, leaf: Leaf, found: Converted, text: str, step: Step
    ) -> Scalar | None:
        """Report what an odd text became, and give its value if it has one."""
        if found.code:
            self._report(leaf.term, found.code, found.sentence, text, element, step)
        return found.value

    def _again(self, element: Element, leaf: Leaf, value: Scalar, text: str, step: Step) -> None:
        """Add to a text in several elements; else keep the first mention of a term."""
        frame = self.frames[leaf.level]
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
            _place(step, element),
            term.id,
            raw,
        )

    def _unknown(self, step: Step, name: str, mark: str = "") -> None:
        """Keep the path of what the table does not know, up to the cap."""
        if len(self.unmapped) < MAX_UNMAPPED:
            self.unmapped[f"{step.path}/{mark}{self._printed(name)}"] = None

    def _printed(self, tag: str) -> str:
        """Print a qualified name with the prefix of its syntax, or in full when foreign."""
        namespace, closing, local = tag.rpartition("}")
        if not closing:
            return tag
        prefix = self._plan.prefixes.get(namespace)
        return f"{prefix}:{local}" if prefix else tag
