"""The nightly daemon's door: `python sync_daemon.py`, or `--once` for a night now."""

from encaisse_core.cli.watching import daemon

if __name__ == "__main__":
    daemon.main(prog_name="sync_daemon.py")
