"""The command `encaisse`: one module per group of commands, loaded only when it is called."""
