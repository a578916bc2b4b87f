"""Name documents by their type."""

from encaisse_einvoicing.writing_pdf.page.words import words


def title(type_code: str | None) -> str:
    """Name a document by BT-3; a code nobody listed is printed, for the law wants its nature."""
    if type_code is None:
        return "Facture"
    return words("title", type_code) or f"Facture (type {type_code})"
