"""Files: read by their GED link, attached to an entry, dropped for bookkeeping [D]."""

from __future__ import annotations

from encaisse_simulator.myunisoft.amounts import answer
from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.wire import SimResponse

MEDIA_TYPES: dict[str, str] = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "txt": "text/plain",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
"""What an entry may carry, by extension: images, PDF, Office, ODF, text; no zip, no XML [D]."""

LONGEST_NAME = 50
LARGEST = 50 * 1024 * 1024
LARGEST_INVOICE = 15 * 1024 * 1024
INVOICE_KINDS = frozenset({"1", "2", "3", "4"})
INVOICE_FORMATS = frozenset({"jpg", "jpeg", "tiff", "tif", "bmp", "png", "pdf"})


def download(books: Books, key: str, way: str) -> SimResponse:
    """Give a file to whoever holds its link."""
    document = books.documents.get(key)
    if document is None or way not in ("download", "preview"):
        raise Refused("ERR-HTTP")
    name = document.name.replace('"', "")
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    if way == "preview":
        disposition = {}
    ascii_only = {each: value for each, value in disposition.items() if value.isascii()}
    return SimResponse(200, {"content-type": document.media_type, **ascii_only}, document.content)


def attach(call: Call) -> SimResponse:
    """Add a file to an entry, posted or pending."""
    call.only("location", "object_id", "filename_extension", "type_result")
    location, number = call.needed("location"), call.number("object_id")
    kept = {"ENTRIES": call.dossier.posted, "ENTRIES_TEMP": call.dossier.pending}.get(location)
    if kept is None or number is None or number not in kept:
        raise Refused("GBL10", "location, object_id")
    name, content = call.needed("filename_extension"), call.request.body
    media_type = MEDIA_TYPES.get(name.rpartition(".")[2].lower())
    if media_type is None or not 0 < len(content) <= LARGEST or len(name) > LONGEST_NAME:
        raise Refused("DOCUMENT6", name)
    document = call.books.keep(name, media_type, content)
    kept[number].documents.append(document)
    call.books.announce(call.dossier, "document", "CREATE", {"id": document.key})
    return answer({"result": "success"})


def drop_invoice(call: Call) -> SimResponse:
    """Leave an invoice for the accountant to book; nothing ties it to the entry made later."""
    call.only("invoice_type_id", "ocr_type_id", "name", "extension", "return_type")
    kind, reader = call.needed("invoice_type_id"), call.needed("ocr_type_id")
    name, extension = call.needed("name"), call.needed("extension").lower()
    if kind not in INVOICE_KINDS or reader not in ("2", "3", "5", "6"):
        raise Refused("GBL10", "invoice_type_id, ocr_type_id")
    fits = extension in INVOICE_FORMATS and (reader != "6" or extension == "pdf")
    if not fits or not 0 < len(call.request.body) <= LARGEST_INVOICE:
        raise Refused("DOCUMENT6", extension)
    document = call.books.keep(f"{name}.{extension}", MEDIA_TYPES[extension], call.request.body)
    call.dossier.dropped.append(document)
    call.books.announce(call.dossier, "document", "CREATE", {"id": document.key})
    return answer({"result": "success"})
