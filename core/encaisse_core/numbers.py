"""Write invoice numbers the way a mandate's annex takes them."""

from __future__ import annotations

import re


def annex_number(number: str) -> str:
    """Write an invoice number without the characters a mandate's annex does not take."""
    return re.sub(r"[^0-9A-Za-z/._+#\-]", "", number)[:69]
