"""Write the canonical invoice in the syntaxes of EN 16931."""
