"""A company with thousands of invoices in several tools: its year, and its tools out of order."""
