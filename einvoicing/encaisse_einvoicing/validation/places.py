"""Tell where an element stands: as an XPath a person can follow, and find it from any."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from lxml import etree

from encaisse_einvoicing.reading.loader import Element

_UNECE = "urn:un:unece:uncefact:data:standard:"
_OASIS = "urn:oasis:names:specification:ubl:schema:xsd:"
PREFIXES: Final = {
    f"{_UNECE}CrossIndustryInvoice:100": "rsm:",
    f"{_UNECE}ReusableAggregateBusinessInformationEntity:100": "ram:",
    f"{_UNECE}UnqualifiedDataType:100": "udt:",
    f"{_UNECE}QualifiedDataType:100": "qdt:",
    f"{_OASIS}CommonAggregateComponents-2": "cac:",
    f"{_OASIS}CommonBasicComponents-2": "cbc:",
    f"{_OASIS}CommonExtensionComponents-2": "ext:",
    f"{_OASIS}Invoice-2": "",
    f"{_OASIS}CreditNote-2": "",
}
"""The prefixes the standards use, whatever prefixes the document has."""
_STEP: Final = re.compile(
    r"/(?:\*:(?P<local>[\w.\-]+)\[namespace-uri\(\)\s*=\s*(?P<quote>['\"])(?P<uri>.*?)(?P=quote)\]"
    r"|Q\{(?P<quri>[^}]*)\}(?P<qlocal>[\w.\-]+))(?:\[(?P<nth>\d+)\])?"
)
"""One step of a location of SVRL, in either way the compilers of Schematron write it."""
_ATTRIBUTE: Final = re.compile(r"/@(?:\*:)?([\w.:\-]+)(?:\[[^\]]*\])?$")


def named(tag: str) -> str:
    """Write `{namespace}local` with its usual prefix; an unusual namespace is left out."""
    uri, _, local = tag.rpartition("}")
    return f"{PREFIXES.get(uri[1:], '')}{local}"


class Places:
    """Know the elements of one document; each parent's children are counted once, when asked."""

    def __init__(self, root: Element) -> None:
        """Keep the root; nothing is counted yet."""
        self._root: Final = root
        self._children: Final[dict[Element, dict[str, list[Element]]]] = {}
        self._ranks: Final[dict[Element, int]] = {}

    def shown(self, element: Element) -> str:
        """Write the XPath of an element, with a position only where siblings share its name."""
        steps = [self._step(element), *map(self._step, element.iterancestors())]
        return "/" + "/".join(reversed(steps))

    def found(self, location: str) -> tuple[Element | None, str]:
        """Find what a location of SVRL points at: the element, and `/@name` when at an attribute.

        None where the location is not of a known form, or points at nothing of the document.
        """
        attribute = _ATTRIBUTE.search(location)
        path = location if attribute is None else location[: attribute.start()]
        steps = list(_steps(path))
        if not steps:
            return None, ""
        (tag, nth), *below = steps
        if tag != self._root.tag or nth != 1:
            return None, ""
        here = self._root
        for tag, nth in below:
            same = self._by_name(here).get(tag, ())
            if nth > len(same):
                return None, ""
            here = same[nth - 1]
        return here, "" if attribute is None else f"/@{attribute[1]}"

    def at(self, path: str) -> Element | None:
        """Find the element of a path as libxml2 writes it, with the document's own prefixes."""
        known = {prefix: uri for prefix, uri in self._root.nsmap.items() if prefix}
        try:
            found = self._root.getroottree().xpath(path, namespaces=known)
        except etree.XPathError:
            return None
        if isinstance(found, list) and found and isinstance(found[0], etree._Element):  # pyright: ignore[reportPrivateUsage]
            return found[0]
        return None

    def _step(self, element: Element) -> str:
        name = named(str(element.tag))
        parent = element.getparent()
        if parent is None:
            return name
        same = self._by_name(parent)[str(element.tag)]
        return name if len(same) == 1 else f"{name}[{self._ranks[element]}]"

    def _by_name(self, parent: Element) -> dict[str, list[Element]]:
        known = self._children.get(parent)
        if known is None:
            known = defaultdict[str, list[Element]](list)
            for child in parent.iterchildren():
                same = known[str(child.tag)]
                same.append(child)
                self._ranks[child] = len(same)
            self._children[parent] = known
        return known


def _steps(path: str) -> Iterator[tuple[str, int]]:
    """Cut a location into (tag, position); nothing when any part of it is of another form."""
    steps: list[tuple[str, int]] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return
        local = step["local"] or step["qlocal"]
        uri = step["uri"] if step["local"] else step["quri"]
        steps.append((f"{{{uri}}}{local}" if uri else local, int(step["nth"] or 1)))
        at = step.end()
    yield from steps
