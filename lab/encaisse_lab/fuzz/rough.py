"""Change bytes, cells and objects: what no tree holds."""

from __future__ import annotations

import io
import re
import zlib
from random import Random
from typing import Final

import pikepdf

from encaisse_lab.fuzz import odd, trees

FEW: Final = (1, 1, 2, 4, 10)
INTERESTING: Final = (
    b"\0",
    b"\xff",
    b"<",
    b"&",
    b"]]>",
    b"<!--",
    b"<?",
    b'"',
    b"\xc0\xaf",
    b"\xed\xa0\x80",
)
TOKENS: Final = re.compile(
    rb"\d+ 0 R|/[A-Za-z]{2,20}|\d{1,10}|obj|endobj|stream|endstream|xref|>>|<<"
)
NAMES: Final = (b"/Kids", b"/Names", b"/EF", b"/UF", b"/F", b"/AF", b"/Root", b"/Prev", b"/Type")
NUMBERS: Final = (b"0", b"1", b"-1", b"5", b"65535", b"2147483647", b"99999999999999999999", b"1.5")
FILTERS: Final = ("/FlateDecode", "/ASCIIHexDecode", "/LZWDecode", "/RunLengthDecode", "/Crypt")
TITLES: Final = (
    "factur-x.xml",
    "FACTUR-X.XML",
    "xrechnung.xml",
    "a.xml",
    "photo.png",
    "",
    "..\\x.xml",
)


def bytewise(data: bytes, chance: Random) -> bytes:
    """Flip, cut, double, insert or end bytes."""
    out = bytearray(data)
    for _ in range(chance.choice(FEW)):
        if not out:
            break
        at = chance.randrange(len(out))
        size = chance.choice((1, 2, 8, 40, 500))
        match chance.randint(0, 5):
            case 0:
                out[at] = chance.randrange(256)
            case 1:
                del out[at : at + size]
            case 2:
                out[at:at] = out[at : at + size]
            case 3:
                out[at:at] = chance.choice(INTERESTING)
            case 4:
                out[at:at] = chance.randbytes(size)
            case _:
                del out[at:]
    return bytes(out)


def tokens(data: bytes, chance: Random) -> bytes:
    """Change a few words of a PDF's own language: references, names, numbers, brackets."""
    found = list(TOKENS.finditer(data))
    if not found:
        return data
    for token in sorted(
        chance.sample(found, min(len(found), chance.choice(FEW))), key=lambda t: -t.start()
    ):
        word = token[0]
        if word.endswith(b" R"):
            new = b"%d 0 R" % chance.randint(0, 20)
        elif word.startswith(b"/"):
            new = chance.choice(NAMES)
        elif word.isdigit():
            new = chance.choice(NUMBERS)
        else:
            new = chance.choice((b"", word + b" " + word, b"<<", b">>", b"endobj", b"null"))
        data = data[: token.start()] + new + data[token.end() :]
    return data


def carried(data: bytes, others: list[bytes], chance: Random) -> bytes:
    """Put mutated invoices into a PDF, under odd names, filters and places."""
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            for _ in range(chance.choice((1, 1, 2, 3))):
                _attach(pdf, trees.mutated(chance.choice(others), others, chance), chance)
            out = io.BytesIO()
            mode = chance.choice(list(pikepdf.ObjectStreamMode.__members__.values()))
            pdf.save(out, object_stream_mode=mode, deterministic_id=True)
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, AttributeError, KeyError):
        return data  # a source that is damaged itself
    return tokens(out.getvalue(), chance) if chance.random() < 0.3 else out.getvalue()


def _attach(pdf: pikepdf.Pdf, xml: bytes, chance: Random) -> None:
    stream = pdf.make_stream(b"")
    packed = zlib.compress(xml) if chance.random() < 0.8 else xml
    chain = [pikepdf.Name(chance.choice(FILTERS)) for _ in range(chance.choice((1, 1, 2)))]
    honest = pikepdf.Name.FlateDecode if packed is not xml else None
    usual = chance.random() < 0.8
    stream.write(packed, filter=honest if usual else pikepdf.Array(chain))
    title = chance.choice(TITLES)
    files = pikepdf.Dictionary(F=stream, UF=stream)
    specification = pdf.make_indirect(pikepdf.Dictionary(F=title, UF=title, EF=files))
    root = pdf.Root
    if chance.random() < 0.5 or "/AF" not in root:
        root.AF = pikepdf.Array([specification])
    else:
        root.AF.append(specification)
    if chance.random() < 0.7:
        names = pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String(title), specification]))
        root.Names = pikepdf.Dictionary(EmbeddedFiles=pdf.make_indirect(names))


def ledger(data: bytes, chance: Random) -> bytes:
    """Change the lines, cells, separators or encoding of a FEC."""
    rows = [line.split("\t") for line in data.decode("utf-8", "replace").split("\r\n")]
    for _ in range(chance.choice(FEW)):
        row = chance.choice(rows)
        match chance.randint(0, 6):
            case 0 | 1 | 2:
                row[chance.randrange(len(row))] = odd.text(chance)
            case 3:
                del row[chance.randrange(len(row))]
                row = row or [""]
            case 4:
                row.insert(chance.randint(0, len(row)), odd.text(chance))
            case 5:
                rows.insert(chance.randint(0, len(rows)), list(chance.choice(rows)))
            case _:
                other = chance.choice(rows)
                a, b = chance.randrange(len(row)), chance.randrange(len(other))
                row[a], other[b] = other[b], row[a]
        rows = [each or [""] for each in rows]
    separator = chance.choice(("\t", "\t", "\t", "|", ";"))
    end = chance.choice(("\r\n", "\r\n", "\n", "\r", "\n\r"))
    encoding = chance.choice(("utf-8", "utf-8", "iso8859-15", "cp1252", "utf-8-sig", "utf-16"))
    return end.join(separator.join(row) for row in rows).encode(encoding, "replace")
