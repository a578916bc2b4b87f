"""Write Factur-X PDFs: put a CII invoice into a PDF, or lay its page out as well."""

from encaisse_einvoicing.writing_pdf.attaching import FacturX, attach
from encaisse_einvoicing.writing_pdf.files import Relationship
from encaisse_einvoicing.writing_pdf.levels import LEVELS, Level
from encaisse_einvoicing.writing_pdf.page.render import render

__all__ = ["LEVELS", "FacturX", "Level", "Relationship", "attach", "render"]
