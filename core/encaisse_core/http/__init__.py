"""Open the one door to partners: every request of every connector goes out here.

`Door` is built once per process; `door.lend(...)` gives a connector an `httpx.Client` for one unit
of work. What the client does, whatever the connector asks of it:

- **Where**: `https` to the manifest's hosts of that environment, default port, no user in the
  address, or below the address a person gave for a tool they run themselves, checked anew at each
  unit of work; anything else is refused (`Rejected`, code `host_refused`) before a byte leaves. A
  redirect is never followed: the connector gets the 3xx.
- **Simulator**: in environment `test` a vendor's host is sent to `routes[host]` (loopback only; the
  vendor's name stays in `Host` and is repeated in `X-Sim-Host`) or to `transport` (in process). The
  list of hosts is checked on the vendor's host first. With `routes`, a host without a route is
  refused rather than let out. Both are refused in `live`.
- **Who**: the scheme of the manifest. Bearer, Basic and header keys are added (several, and to some
  of the hosts only, where the manifest says so); OAuth2 tokens are fetched, renewed once for all
  threads and processes, and renewed once more after a 401, whereupon the request is sent again (a
  401 says that nothing was done). A 401 that stays raises `Denied`.
- **Pace**: every quota of the manifest, counted in the store. A short wait sleeps on the clock; one
  longer than `max_wait` (or past the deadline) raises `Transient(retry_after)` and sends nothing.
- **Again**: GET and HEAD only, at most `ATTEMPTS` times, after a transport error, 429 or
  502/503/504, honouring `Retry-After`; all waits of a request together stay under `max_wait`. Then
  `Transient`. A POST, PUT, PATCH or DELETE is sent once.
- **Doubt**: a write whose connection was never made raises `Transient`; one whose answer was lost
  raises `OutcomeUnknown`; a 429 raises `Transient(retry_after)`. Every other answer, 5xx to a write
  included, reaches the connector, which alone can read the vendor's words.
- **How long**: connect 5 s, 30 s between two bytes, `WHOLE_ANSWER` in all, nothing starts at or
  after `deadline`; an answer over `LARGEST_ANSWER` bytes raises `Drift` (to a write,
  `OutcomeUnknown`). Bodies are read whole before the connector sees them. Proxies and netrc files
  of the environment are not used.
- **Log**: logger `encaisse.http`, one line per request: method, host, path, status, milliseconds,
  the partner's request id. Never a query, a header, a body.

Raise `UsageError` from `lend` for a mistake of ours (wrong connector or environment for the grant,
simulator in `live`, missing secret) and `Denied` for a grant a person must reconnect. Do not hold a
transaction of the store while a lent client is used: quotas and tokens open their own.
"""

from __future__ import annotations

from encaisse_core.http.door import Door
from encaisse_core.http.guard import guard_base_url

__all__ = ["Door", "guard_base_url"]
