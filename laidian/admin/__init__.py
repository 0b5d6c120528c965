"""What the operator does: wire types (`schema`), use cases (`service`) and the HTTP API (`api`)."""
