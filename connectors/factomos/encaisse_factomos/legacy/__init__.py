"""The older Factomos interface of 2015, over one address."""
