"""The nightly daemon's door: `python sync_daemon.py`, or `--once` for a night now."""

from encaisse_core.cli.start import watch

if __name__ == "__main__":
    watch()
