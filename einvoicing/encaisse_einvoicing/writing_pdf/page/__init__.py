"""Lay out the page of an invoice and write it as a Factur-X."""

from encaisse_einvoicing.writing_pdf.page.render import render

__all__ = ["render"]
