"""Change the tree of an XML document: what it says, where it says it, or how it is built."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from lxml import etree

from encaisse_einvoicing.reading.loader import Element
from encaisse_lab.fuzz import odd

ATTRIBUTES: Final = ("schemeID", "format", "currencyID", "unitCode", "listID", "name", "z", "ID")
FOREIGN: Final = ("urn:fake", "", "http://www.w3.org/2001/XInclude", "urn:un:unece:uncefact:x")
DEEP: Final = (3, 30, 240, 300)
REPEATS: Final = (2, 20, 200, 1_000)
MOST: Final = 4_000
"""Elements above which nothing is repeated any more."""
MOST_TEXT: Final = 24 * 1024 * 1024
"""Characters above which nothing is repeated any more: just beyond what a reader takes (20 MiB)."""


def parsed(data: bytes) -> Element | None:
    """Parse a source for mutation; None where it is no XML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None


def mutated(data: bytes, others: list[bytes], chance: Random) -> bytes:
    """Change a few places of a document; `others` lend subtrees."""
    root = parsed(data)
    if root is None:
        return data
    for _ in range(chance.choice((1, 1, 2, 3, 5, 12))):
        every = list(root.iter("{*}*"))
        try:
            chance.choice(CHANGES)(every, others, chance)
        except (ValueError, TypeError):
            continue  # what no tree can hold: a control character, a node below itself
    return etree.tostring(root)


def _remove(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    if len(every) < MOST:
        element.addnext(copy.deepcopy(element))


def _repeat(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    inside = sum(1 for _ in element.iter())
    room = max(0, MOST_TEXT - _characters(every))
    fit = room // (1 + _characters(element.iter("{*}*")))
    for _ in range(min(chance.choice(REPEATS), MOST // inside, fit)):
        element.addnext(copy.deepcopy(element))


def _characters(elements: Iterable[Element]) -> int:
    return sum(len(each.text or "") for each in elements)


def _move(every: list[Element], others: list[bytes], chance: Random) -> None:
    element, target = chance.choice(every), chance.choice(every)
    if element not in (target, *target.iterancestors()):
        target.insert(chance.randint(0, len(target)), element)


def _reorder(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    children = list(element)
    chance.shuffle(children)
    element[:] = children


def _rename(every: list[Element], others: list[bytes], chance: Random) -> None:
    chance.choice(every).tag = chance.choice(every).tag


def _rename_abroad(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    namespace = chance.choice(FOREIGN)
    local = str(element.tag).rpartition("}")[2]
    element.tag = f"{{{namespace}}}{local}" if namespace else local


def _refill(every: list[Element], others: list[bytes], chance: Random) -> None:
    leaves = [each for each in every if not len(each)]
    chance.choice(leaves or every).text = odd.text(chance)


def _swap(every: list[Element], others: list[bytes], chance: Random) -> None:
    first, second = chance.choice(every), chance.choice(every)
    first.text, second.text = second.text, first.text


def _splice(every: list[Element], others: list[bytes], chance: Random) -> None:
    donor = parsed(chance.choice(others))
    if donor is not None:
        graft = copy.deepcopy(chance.choice(list(donor.iter("{*}*"))))
        graft.tail = None
        target = chance.choice(every)
        target.insert(chance.randint(0, len(target)), graft)


def _attribute(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    names = [str(name) for name in element.attrib]
    if names and chance.random() < 0.5:
        name = chance.choice(names)
        if chance.random() < 0.5:
            del element.attrib[name]
        else:
            element.set(name, odd.text(chance))
        return
    name = chance.choice(ATTRIBUTES)
    element.set(name if chance.random() < 0.8 else f"{{urn:fake}}{name}", odd.text(chance))


def _deepen(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    for _ in range(chance.choice(DEEP)):
        element = etree.SubElement(element, str(element.tag))
    element.text = odd.text(chance)


def _annotate(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    note = chance.choice((etree.Comment("x"), etree.ProcessingInstruction("x", "y")))
    note.tail = chance.choice((None, "9", odd.text(chance)))
    element.insert(chance.randint(0, len(element)), note)


def _wrap(every: list[Element], others: list[bytes], chance: Random) -> None:
    element = chance.choice(every)
    element.text = etree.CDATA(odd.text(chance).replace("]]>", ""))


Change = Callable[[list[Element], list[bytes], Random], None]
CHANGES: Final[tuple[Change, ...]] = (
    *(_remove, _double, _repeat, _move, _reorder, _rename, _rename_abroad, _refill, _refill),
    *(_refill, _swap, _splice, _attribute, _attribute, _deepen, _annotate, _wrap),
)
"""What may be done to a tree; a value is refilled more often than the rest."""
