"""Wire formats without I/O: bytes in, values and bytes out. No sockets, no clock, no money."""
