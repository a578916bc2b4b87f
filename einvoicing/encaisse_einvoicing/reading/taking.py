"""Turn each step of the table into the function that reads its elements.

A large invoice has thousands of elements. What the table says of one is decided here once, when the
plan is compiled, and what is left for each element is what only that element can tell. Everything
that is worth an issue goes to the walk, which has the time to say it well.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.reading.step import Converted, Leaf, Opening, Step

if TYPE_CHECKING:
    from encaisse_einvoicing.reading.walker import Walk

Take: TypeAlias = "Callable[[Element, Walk], int | None]"
"""Read an element that holds a value; tell how many elements are in it, which it ought not have."""


def compile_takes(step: Step) -> None:
    """Give every step below that holds a value the function that reads it."""
    for child in step.children.values():
        compile_takes(child)
        if child.leaf is not None:
            take = (_text if child.leaf.convert is None else _value)(child, child.leaf)
            child.take = take if child.opens is None else _opening(child, child.opens, take)


def _text(step: Step, leaf: Leaf) -> Take:
    """Read a term whose text is its value."""
    level, field, limit = leaf.level, leaf.field, leaf.limit

    def take(element: Element, walk: "Walk") -> int | None:
        if names := element.keys():
            walk.attributes(element, step, names)
        if inside := len(element):
            walk.mixed(element, leaf, step)
            return inside
        if (text := element.text) and (text := text.strip()):
            frame = walk.frames[level]
            if len(text) > limit:
                walk.too_long(element, leaf, text, step)
            elif field in frame:
                walk.again(element, leaf, text, text, step)
            else:
                frame[field] = text
        return None

    return take


def _value(step: Step, leaf: Leaf) -> Take:
    """Read a term whose text must become a number, a day or a flag."""
    level, field, limit, amount = leaf.level, leaf.field, leaf.limit, leaf.amount
    convert = leaf.convert
    assert convert is not None

    def take(element: Element, walk: "Walk") -> int | None:
        if names := element.keys():
            walk.attributes(element, step, names)
        if inside := len(element):
            walk.mixed(element, leaf, step)
            return inside
        if (text := element.text) and (text := text.strip()):
            if len(text) > limit:
                walk.too_long(element, leaf, text, step)
                return None
            found = convert(text, element)
            value = (
                walk.odd(element, leaf, found, text, step) if type(found) is Converted else found
            )
            if value is None:
                return None
            if amount and names:
                walk.currency(element, step)
            frame = walk.frames[level]
            if field in frame:
                walk.again(element, leaf, value, text, step)
            else:
                frame[field] = value
        return None

    return take


def _opening(step: Step, opens: Opening, take: Take) -> Take:
    """Read an element that is a group and holds a value: an identifier with its register."""

    def take_group(element: Element, walk: "Walk") -> int | None:
        outer = walk.open(opens)
        inside = take(element, walk)
        walk.close(element, step, opens, outer)
        return inside

    return take_group
