"""Run a real `encaisse worker` with short leases: the child of the harness that kills workers."""

from __future__ import annotations

import os

from encaisse_lab import faults_child

SIGN_OF_LIFE, SILENT = 1.0, 4.0
"""Seconds between signs of life, and after which a worker's job is given to another."""

if __name__ == "__main__":
    from encaisse_core.cli.start import main
    from encaisse_core.workers import queue

    faults_child.shorten(float(os.environ[faults_child.LEASE]))
    queue.SILENT, queue.SIGN_OF_LIFE = SILENT, SIGN_OF_LIFE
    main()
