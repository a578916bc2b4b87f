"""A folder or archive of e-invoices as a source."""
