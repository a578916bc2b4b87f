"""GCollect: quotes, mandates, procedures and money (assumed contract)."""
