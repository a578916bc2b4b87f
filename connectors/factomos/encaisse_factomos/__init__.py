"""Factomos: open invoices in, payments back."""
