"""MyUnisoft: the accounting production tool of firms, by its partner interface.

Evidence tags in this package: [D] a page of the vendor, [P] its public Postman collection, [T] its
published types, [S] ours, because nothing public says it; `choices.py` lists every [S].
"""

from encaisse_simulator.myunisoft.bookkeeping import Bookkeeping
from encaisse_simulator.myunisoft.choices import Choices
from encaisse_simulator.myunisoft.entries import plain
from encaisse_simulator.myunisoft.oracle import Move
from encaisse_simulator.myunisoft.tool import GED_HOST, HOST, MyUnisoft

__all__ = ["GED_HOST", "HOST", "Bookkeeping", "Choices", "Move", "MyUnisoft", "plain"]
