"""The GCollect connector: its roles, put together. Everything it assumes is in the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from encaisse_api import Granted, Manifest, RemoteAccount
from encaisse_api.dialect import Dialect
from encaisse_gcollect import mapping
from encaisse_gcollect.declarations import Declarations
from encaisse_gcollect.dialect import DIALECT
from encaisse_gcollect.mandates import Mandates
from encaisse_gcollect.manifest import MANIFEST
from encaisse_gcollect.procedures import Procedures
from encaisse_gcollect.reports import Reports


class GCollectConnector(Mandates, Procedures, Declarations, Reports):
    """Translate between the contract and GCollect's assumed API, for one unit of work."""

    manifest: ClassVar[Manifest] = MANIFEST
    dialect: ClassVar[Dialect] = DIALECT

    def probe(self) -> Granted:
        """Tell health, and what this grant may do today."""
        me = self._me()
        return mapping.granted(me, self._creditor(me))

    def accounts(self) -> Sequence[RemoteAccount]:
        """List every creditor the grant opens."""
        return tuple(mapping.account(creditor) for creditor in self._me().creditors)
