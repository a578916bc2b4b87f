"""Read documents: XML, PDF and archives into the frozen invoice of `model`."""
