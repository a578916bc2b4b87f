"""Declare which differences between tools the older interface has: values as in REST v1."""

from __future__ import annotations

from encaisse_api.dialect import Dialect
from encaisse_factomos.dialect import DIALECT as REST_V1

DIALECT = Dialect(
    reads=(REST_V1.reads - {"paging.page"}) | {"paging.offset"},
    refuses=REST_V1.refuses,
    spares={
        **REST_V1.spares,
        "paging": "lists go on by the number of rows to skip; the rows a page says it has are "
        "checked",
        "id.changing": "an invoice keeps its id; one entered anew joins by its number",
    },
)
