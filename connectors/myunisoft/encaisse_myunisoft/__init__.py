"""MyUnisoft: what customers still owe in, payments back into the books."""
