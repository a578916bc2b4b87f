"""Takes overdue invoices from the tools to collection and brings the money's trace back."""
