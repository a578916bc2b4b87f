"""Lay out the page of an invoice and write it as a Factur-X."""
