"""Write the same document otherwise: whatever XML says means nothing is changed, and nothing else.

Comments and instructions, blanks between elements, prefixes, the order of attributes, CDATA and
character references, the encoding: an invoice read from the result is equal to the first.
"""

from __future__ import annotations

from random import Random
from typing import Final, cast

from lxml import etree

from encaisse_einvoicing.reading.loader import Element
from encaisse_lab.fuzz.trees import parsed

ENCODINGS: Final = (
    "UTF-8",
    "UTF-8",
    "UTF-16",
    "ISO-8859-1",
    "ISO-8859-15",
    "windows-1252",
    "US-ASCII",
)
NOTES: Final = ("x", "<ram:ID>FAUX</ram:ID>", " 9 ", "é", "]]>", "<!DOCTYPE x>")
BLANKS: Final = ("", " ", "\n", "\n\t  ", "\r\n", "   \n\n")


def rewritten(data: bytes, chance: Random) -> bytes:
    """Write a document in other words of the same meaning; itself where it is no XML."""
    root = parsed(data)
    if root is None:
        return data
    encoding = chance.choice(ENCODINGS)
    fresh = _copied(root, chance)
    for element in list(fresh.iter("{*}*")):
        if len(element):
            _between(element, chance)
        elif chance.random() < 0.3:
            _inside(element, encoding, chance)
    out = etree.tostring(fresh, encoding=encoding, xml_declaration=True)
    assert isinstance(out, bytes)  # the stubs cannot know that this encoding is one
    if encoding == "UTF-8" and chance.random() < 0.3:
        return b"\xef\xbb\xbf" + out
    return out


def _copied(root: Element, chance: Random) -> Element:
    """Build the tree anew under other prefixes, with attributes in another order."""
    used = {str(each.tag).rpartition("}")[0][1:] for each in root.iter("{*}*")}
    spaces: dict[str | None, str] = {}
    for number, namespace in enumerate(sorted(used - {""})):
        spaces[f"{chance.choice(('a', 'ram', 'cbc', 'x-y', '_'))}{number}"] = namespace
    if spaces and "" not in used and chance.random() < 0.5:
        spaces[None] = spaces.pop(chance.choice(list(spaces)))
    fresh = etree.Element(
        str(root.tag), nsmap=cast("dict[str, str]", spaces)
    )  # the stubs know no None
    _fill(root, fresh, chance)
    return fresh


def _fill(old: Element, new: Element, chance: Random) -> None:
    names = [str(name) for name in old.attrib]
    chance.shuffle(names)
    for name in names:
        new.set(name, old.get(name) or "")
    new.text = old.text
    for child in old:
        made = etree.SubElement(new, str(child.tag))
        _fill(child, made, chance)
        made.tail = child.tail


def _note(chance: Random) -> Element:
    words = chance.choice(NOTES)
    if chance.random() < 0.5:
        return etree.Comment(words)
    return etree.ProcessingInstruction("note", words)


def _between(element: Element, chance: Random) -> None:
    """Put blanks and notes between children, where only blanks stand."""
    texts = [element.text, *(child.tail for child in element)]
    if any((each or "").strip() for each in texts):
        return
    element.text = chance.choice(BLANKS)
    for child in list(element):
        child.tail = chance.choice(BLANKS)
    if chance.random() < 0.3:
        note = _note(chance)
        element.insert(chance.randint(0, len(element)), note)
        note.tail = chance.choice(BLANKS)


def _inside(element: Element, encoding: str, chance: Random) -> None:
    """Split a value by a note, or write it as CDATA, which holds no character references."""
    text = element.text or ""
    plain = "]]>" not in text and "\r" not in text
    if text and plain and chance.random() < 0.5 and _fits(text, encoding):
        element.text = etree.CDATA(text)
        return
    places = sorted(chance.randint(0, len(text)) for _ in range(chance.choice((1, 1, 2, 4))))
    element.text = text[: places[0]]
    for at, end in zip(places, [*places[1:], len(text)], strict=True):
        note = _note(chance)
        element.append(note)
        note.tail = text[at:end]


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
