"""Whatever is done to the bytes or the tree of an invoice, reading answers and never breaks."""

import copy
import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.counts import examples

from encaisse_einvoicing import Reading, read_bytes

CALM = settings(
    max_examples=examples(60),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ODD = (
    *("", " ", "-", "NaN", "1e9", "99999999", "2026-02-30", "20260101", "\u0660", "é" * 50),
    *(
        "0002",
        "VA",
        "EUR",
        "true",
        "maybe",
        "9" * 2_000,
        "#PMT#",
        "1.",
        ".5",
        "+1",
        "12345678200002",
    ),
)


class Samples:
    """Hold the small documents without spelling them out when an example fails."""

    def __init__(self, *documents: bytes) -> None:
        self.documents = documents

    def __repr__(self) -> str:
        return f"{len(self.documents)} documents"


@pytest.fixture(scope="session")
def xml(cii: str, ubl: str, credit_note: str) -> Samples:
    return Samples(cii.encode(), ubl.encode(), credit_note.encode())


@pytest.fixture(scope="session")
def pdf(factur_x_pdf: bytes) -> Samples:
    return Samples(factur_x_pdf)


def check(reading: Reading) -> None:
    """An answer is an invoice, or refusals with a code, a sentence and a place."""
    assert reading.invoice is not None or reading.issues
    for issue in reading.issues:
        assert issue.code and issue.message and issue.where
    if reading.invoice is not None:
        assert reading.invoice.model_dump_json()


def mutate_tree(data: bytes, seed: int) -> bytes:
    """Move, copy, drop, rename or refill a few elements of the tree."""
    chance = random.Random(seed)
    root = etree.fromstring(data)
    for _ in range(chance.randint(1, 12)):
        element = chance.choice(list(root.iter("{*}*")))
        parent = element.getparent()
        match chance.randint(0, 6):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.append(copy.deepcopy(element))
            case 2:
                element.text = chance.choice(ODD)
            case 3:
                element.set(
                    chance.choice(("schemeID", "format", "currencyID", "z")), chance.choice(ODD)
                )
            case 4:
                element.append(etree.Comment("x"))
            case 5 if parent is not None:
                element.tag = chance.choice([str(other.tag) for other in root.iter("{*}*")])
            case _:
                chance.choice(list(root.iter("{*}*"))).append(copy.deepcopy(element))
    return etree.tostring(root)


def mutate_bytes(data: bytes, seed: int) -> bytes:
    """Flip, cut, double or insert bytes."""
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.randint(1, 10)):
        at = chance.randrange(len(out))
        match chance.randint(0, 3):
            case 0:
                out[at] = chance.randrange(256)
            case 1:
                del out[at : at + chance.randint(1, 40)]
            case 2:
                out[at:at] = out[at : at + chance.randint(1, 40)]
            case _:
                out[at:at] = chance.choice(string.printable).encode() * chance.randint(1, 5)
        if not out:
            break
    return bytes(out)


@CALM
@given(seed=st.integers(0, 2**32), which=st.integers(0, 2))
def test_a_mutated_tree_never_breaks_reading(xml: Samples, seed: int, which: int) -> None:
    check(read_bytes("x", mutate_tree(xml.documents[which], seed)))


@CALM
@given(seed=st.integers(0, 2**32), which=st.integers(0, 2))
def test_mutated_bytes_never_break_reading(xml: Samples, seed: int, which: int) -> None:
    check(read_bytes("x", mutate_bytes(xml.documents[which], seed)))


@CALM
@given(seed=st.integers(0, 2**32))
def test_a_mutated_pdf_never_breaks_reading(pdf: Samples, seed: int) -> None:
    check(read_bytes("x", mutate_bytes(pdf.documents[0], seed)))


@CALM
@given(
    data=st.binary(max_size=400), head=st.sampled_from([b"", b"<", b"%PDF-1.7\n", b"\xff\xfe<\x00"])
)
def test_any_bytes_get_an_answer(data: bytes, head: bytes) -> None:
    check(read_bytes("x", head + data))
