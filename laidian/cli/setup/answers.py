"""What a wizard wants to know: the choices, and the answers that were given as options."""

from __future__ import annotations

import msgspec

SERVICES = {
    "user": "a service of this user (systemctl --user)",
    "system": "a service of the whole machine, as a user of its own (needs root)",
    "none": "none; I start `laidian serve` myself",
}
FRONTS = {
    "caddy": "Caddy, which gets its certificates itself",
    "nginx": "nginx, with certificates from certbot",
    "tls": "LaiDian itself, with certificate files that I have",
    "none": "nothing: this machine and SSH tunnels only, or my own proxy",
}


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """The options; None: to be asked, or the default."""

    service: str | None
    service_user: str
    unit_file: str | None
    start: bool | None
    provider: str | None
    base_url: str | None
    api_key_stdin: bool
    api_key_env: str | None
    upstream: str | None
    front: str | None
    domain: str | None
    host: str | None
    port: int | None
    tls_certificate: str | None
    tls_key: str | None
    group: str | None
    quota: str | None
    balance: str | None
    key: str | None
