"""One request's life, from the first byte a client sends to the settlement."""
