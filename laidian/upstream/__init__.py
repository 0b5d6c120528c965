"""The hop to the providers: an HTTP/1.1 client of our own, and what is built on it.

`transport` sends one request and hands back one answer; `connection` is one connection and its time-outs, `origin` says where
requests go; `wire` knows the bytes of HTTP/1.1; `proxy` reaches a
host directly or through an egress proxy; `faults` says why an exchange failed. Nothing in here knows about
keys, money or the database. The rule a newcomer would break: none of it reads the environment
(`HTTP_PROXY`, `SSL_CERT_FILE` of a client library …): an upstream is reached the way its row says, or not at all.
"""
