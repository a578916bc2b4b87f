"""Measure the reader of e-invoices against its peers, in one run and one interpreter."""
