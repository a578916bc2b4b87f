"""Write raw fields along a plan, as text: one pass, nothing parsed, nothing looked up twice."""

import base64
import re
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from encaisse_einvoicing.reading.plan import MAX_TEXT, MAX_TOKEN, Raw, Scalar
from encaisse_einvoicing.terms import Group, Kind, Term
from encaisse_einvoicing.writing.gaps import Gap, GapCode
from encaisse_einvoicing.writing.plan import Node, Shape, WritePlan

Frames: TypeAlias = tuple[Raw, ...]
_SPECIAL: Final = re.compile('[&<>"\\t\\n\\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_PLAIN: Final = re.compile('[^&<>"\t\n\r\x00-\x1f\ud800-\udfff\ufffe\uffff]{1,1000}')
"""A short text that stands in XML as it is."""
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_MAX_DIGITS: Final = 40
"""As the readers: no honest amount has more."""
_GAPS: Final = 500


class Writing:
    """Write one document; use once. `gaps` holds what is missing or cannot be said."""

    def __init__(self, plan: WritePlan) -> None:
        """Start with nothing written and nothing missing."""
        self._plan: Final = plan
        self._cii: Final = plan.syntax.column == "cii"
        self._trail: Final[list[str]] = []
        self._currency = ""
        self.gaps: Final[dict[tuple[str, str], Gap]] = {}

    def document(self, raw: Raw) -> bytes:
        """Give the bytes of the document, UTF-8; with gaps they are worth nothing."""
        self._currency = _attribute_text(str(raw.get("currency", "")))
        self._check(self._plan.shape, raw)
        root = self._plan.root
        content = "".join(self._contents(root, (raw,)) or ())
        spaces = "".join(
            f' xmlns:{prefix}="{uri}"' for prefix, uri in self._plan.syntax.namespaces.items()
        )
        if not self._cii:
            spaces = f' xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root.tag}-2"{spaces}'
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{root.tag}{spaces}>{content}</{root.tag}>\n'
        )
        return text.encode("utf-8", "replace")

    def report(self, code: GapCode, term: str, name: str, label: str, why: str = "") -> None:
        """Note one gap, at most once for a place."""
        place = ".".join((*self._trail, name))
        if (code, place) not in self.gaps and len(self.gaps) < _GAPS:
            self.gaps[code, place] = Gap(
                code=code, field=place, label=label, term=term or None, why=why
            )

    def _report_member(self, code: GapCode, member: Term | Group, why: str = "") -> None:
        self.report(code, member.id, member.field, member.label, why)

    def _check(self, shape: Shape, item: Raw) -> None:
        """Report what the document must have and has not, or has and cannot say."""
        for must in shape.musts:
            if must.field not in item:
                self._report_member("missing", must)
        for member in shape.unplaced:
            if member.field in item:
                self._report_member("no_place", member)
        if not shape.known.issuperset(item):
            for name in item.keys() - shape.known:
                self.report("no_place", "", name, name)
        for name, inner in shape.inner:
            value = item.get(name)
            if isinstance(value, list):
                for number, each in enumerate(value):
                    self._trail.append(f"{name}.{number}")
                    self._check(inner, each)
                    self._trail.pop()
            elif isinstance(value, dict):
                self._trail.append(name)
                self._check(inner, value)
                self._trail.pop()

    def _element(self, node: Node, frames: Frames) -> str:
        group = node.group
        if group is None:
            return self._one(node, frames)
        level = node.level
        value = frames[level - 1].get(group.field)
        if value is None:
            return self._one(node, (*frames[:level], {})) if node.foreign else ""
        items = value if isinstance(value, list) else [value]
        if len(items) > node.bounds.most:
            self._report_member("no_place", group, f"{node.bounds.most} au plus")
            items = items[: node.bounds.most]
        choice = node.choice
        outer = frames[:level]
        texts: list[str] = []
        for number, item in enumerate(items):
            assert isinstance(item, dict)
            if choice is not None and not choice(item):
                continue
            self._trail.append(f"{group.field}.{number}" if group.many else group.field)
            texts.append(self._one(node, (*outer, item)))
            self._trail.pop()
            node = node.rest or node
        return "".join(texts)

    def _one(self, node: Node, frames: Frames) -> str:
        if node.leaf is not None:
            return self._leaf(node, node.leaf, frames)
        parts = self._contents(node, frames)
        if parts is None:
            return ""
        return f"<{node.tag}>{''.join(parts)}</{node.tag}>"

    def _contents(self, node: Node, frames: Frames) -> list[str] | None:
        """Write the children; None where the invoice says nothing of them."""
        parts: list[str] = []
        said = False
        for child in node.children:
            probe = child.probe
            if probe is not None:
                value = frames[probe[0]].get(probe[1])
                if value is None:
                    parts.append("")
                    continue
                if child.plain and isinstance(value, str) and _PLAIN.fullmatch(value):
                    tag = child.tag
                    parts.append(f"<{tag}>{value}</{tag}>")
                    said = True
                    continue
            text = self._element(child, frames)
            parts.append(text)
            if text and not child.constant:
                said = True
        if not said and not node.constant:
            return None
        if node.required:
            for place, child in enumerate(node.children):
                if child.bounds.required and not parts[place]:
                    if child.empty:
                        parts[place] = f"<{child.tag}/>"
                    else:
                        self._report_member("missing", _first_term(child))
        return parts

    def _leaf(self, node: Node, term: Term, frames: Frames) -> str:
        if term.kind is Kind.CONSTANT:
            return f"<{node.tag}>{term.constant}</{node.tag}>"
        frame = frames[node.leaf_level]
        if node.choice is not None and not node.choice(frame):
            return ""
        value = frame.get(term.field)
        attributes = ""
        if node.attributes:
            for attribute in node.attributes:
                found = frames[attribute.level].get(attribute.term.field)
                if found is None:
                    if attribute.required and value is not None:
                        self._report_member("missing", attribute.term)
                elif value is None:
                    self._report_member("no_place", attribute.term, "sans la valeur qu'il qualifie")
                else:
                    text = self._text(attribute.term, found)
                    attributes += f' {attribute.name}="{_attribute_text(text)}"'
        if value is None:
            return ""
        text = self._text(term, value)
        if _SPECIAL.search(text):
            text = _element_text(text)
        if term.kind is Kind.AMOUNT and not self._cii:
            attributes += f' currencyID="{self._currency}"'
        elif term.kind is Kind.DATE and self._cii:
            attributes += ' format="102"'
        return f"<{node.tag}{attributes}>{text}</{node.tag}>"

    def _text(self, term: Term, value: "Scalar | Raw | list[Raw]") -> str:
        if isinstance(value, str):
            if len(value) > MAX_TEXT.get(term.kind, MAX_TOKEN):
                self._report_member("unwritable", term, "trop long")
            elif _FORBIDDEN.search(value):
                self._report_member("unwritable", term, "caractère interdit en XML")
            elif term.kind is Kind.BINARY and not _is_base64(value):
                self._report_member("unwritable", term, "n'est pas du base64")
            return value
        if isinstance(value, Decimal):
            text = str(value)
            if len(text) <= _MAX_DIGITS and _NUMBER.fullmatch(text):
                return text
            if not value.is_finite() or value.adjusted() > _MAX_DIGITS:
                self._report_member("unwritable", term, "n'est pas un nombre")
                return ""
            text = format(value, "f")
            if len(text) > _MAX_DIGITS:
                self._report_member("unwritable", term, "trop long")
            return text
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, date):
            iso = value.isoformat()
            return iso.replace("-", "") if self._cii else iso
        self._report_member("unwritable", term)
        return ""


def _first_term(node: Node) -> Term | Group:
    """Name an element by the first thing the invoice would say in it."""
    if node.leaf is not None and node.leaf.kind is not Kind.CONSTANT:
        return node.leaf
    if node.group is not None:
        return node.group
    for child in (*node.required, *node.children):
        if not child.constant:
            return _first_term(child)
    return Term("", node.tag, Kind.TEXT, node.tag, {})


def _is_base64(text: str) -> bool:
    """Tell whether a text is an `xsd:base64Binary` (XML Schema part 2, 3.2.16)."""
    bare = "".join(text.split())
    try:
        return base64.b64encode(base64.b64decode(bare, validate=True)).decode() == bare
    except ValueError:
        return False


def _element_text(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _attribute_text(text: str) -> str:
    if _SPECIAL.search(text):
        text = _element_text(text).replace('"', "&quot;")
        text = text.replace("\n", "&#10;").replace("\t", "&#9;")
    return text
