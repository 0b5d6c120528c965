"""config.toml: what it may say, where it lies, what the environment overrides.

Owns the names and defaults of settings; `config.example.toml` shows every one of them and a test compares the two. Knows
nothing of the database: what the file provisions (upstreams, groups, prices) is handed on as values.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from laidian.errors import BadRequest


class ConfigProblem(BadRequest):
    """The configuration file cannot be used. The message names file and key."""


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    """Processes. One serves about 2,000 requests a second on one core; more share the database correctly."""
    drain_s: float = 30.0
    """How long running streams may go on after a stop was asked for."""
    public_url: str = ""
    """How clients reach this instance, when it is not host and port: for the texts that show a base URL."""

    @property
    def public_base_url(self) -> str:
        """`public_url` with /v1, whether it was written with it or not; empty when there is none."""
        return f"{self.public_url.rstrip('/').removesuffix('/v1')}/v1" if self.public_url else ""

    tls_certificate: str = ""
    """PEM file with the certificate and its chain: then it serves https itself. Needs `tls_key`. Read at the start."""
    tls_key: str = ""
    """PEM file with the certificate's private key, without a passphrase."""


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body_max_bytes: int = 64 * 1024 * 1024
    """Largest request body; larger ones get 413. OpenAI takes 50 MB of images."""
    body_timeout_s: float = 60.0
    """A body that stalls longer than this gets 408."""
    answer_max_bytes: int = 64 * 1024 * 1024
    """Largest answer that is not a stream."""


class RelaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    attempts: int = 4
    """Upstream credentials tried for one request at most."""
    attempt_budget_s: float = 600.0
    """All attempts together, up to the first byte."""
    keep_alive_s: float = 15.0
    """A stream that is silent this long gets a comment, so that proxies and clients keep it open."""
    drain_s: float = 120.0
    """How long an answer is read on after its client left, where the group says `drain`."""
    drains: int = 64
    """Answers read on at once per worker; above it they are cancelled."""


class LedgerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    synchronous: Literal["full", "normal"] = "full"
    """`full`: what was settled survives a power cut. `normal`: a power cut may lose the last second; a crash loses nothing."""


class AdminSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    remote: bool = False
    """Whether /admin and /metrics answer to other machines (with the admin token). Put TLS in front before you switch it on."""


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    requests: bool = True
    """One JSON line per request on stderr."""


class PagesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the instance shows to a browser. `keyed` shows nothing but a field for a key."""

    docs: Literal["public", "off"] = "public"
    models: Literal["public", "keyed", "off"] = "public"
    status: Literal["public", "keyed", "off"] = "public"
    key: Literal["public", "off"] = "public"
    status_of: Literal["models", "upstreams"] = "models"
    """Whether /status names models, or the upstreams behind them."""
    group: str = ""
    """Whose models and multiplier everybody sees; empty: what any group has."""
    language: Literal["en", "zh"] = "en"
    """For browsers that ask for neither English nor Chinese."""
    brand: str = "LaiDian Token"
    contact: str = ""
    """Where key holders write to: `https://…`, `mailto:…`, or a plain text."""
    notice: str = ""
    """Shown on every page."""
    incident: str = ""
    """Shown on /status, above everything."""
    feed: bool = False
    """Whether a public /status can be subscribed to, at /status.rss."""

    def __post_init__(self) -> None:
        # it stands in the commands of the documentation, which people paste into a shell
        if (
            not 1 <= len(self.brand) <= 64
            or not self.brand.isprintable()
            or set(self.brand) & set("\"'\\`$<>{}")
        ):
            raise ValueError("brand needs 1 to 64 characters, none of them \" ' \\ ` $ < > { or }")


class TuiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the dashboard, read where it runs; the server has no use for them."""

    keys: dict[str, str] = {}
    """Name of a binding to the key, or keys, that it has instead of its own; the dashboard knows the names."""


class UpstreamEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    kind: Literal["openai", "gemini", "anthropic", "compatible", "responses"]
    base_url: str = ""
    api_key: str = ""
    api_key_env: str = ""
    api_key_file: str = ""
    models: tuple[str, ...] = ()
    aliases: dict[str, str] = {}
    priority: int = 0
    weight: int = 1
    max_concurrent: int | None = None
    proxy: str = ""
    enabled: bool = True
    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 300.0
    idle_timeout_s: float = 300.0


class GroupEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    upstreams: str = ""
    """In order, `a,b`; `a+b` share by weight. Empty: all, by their priority."""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    aliases: dict[str, str] = {}
    capabilities: tuple[str, ...] | None = None
    """None: every one."""
    multiplier: str = "1"
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    on_abort: Literal["cancel", "drain"] = "cancel"
    enabled: bool = True


class PriceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million of each unit, as decimal text."""

    model: str
    rates: dict[str, str]
    source: str = "config.toml"
    source_date: str = ""
    max_output_tokens: int | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    server: ServerSettings = ServerSettings()
    limits: LimitSettings = LimitSettings()
    relay: RelaySettings = RelaySettings()
    ledger: LedgerSettings = LedgerSettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()
    pages: PagesSettings = PagesSettings()
    tui: TuiSettings = TuiSettings()
    upstream: tuple[UpstreamEntry, ...] = ()
    group: tuple[GroupEntry, ...] = ()
    price: tuple[PriceEntry, ...] = ()


def data_folder(option: str | None, environment: Mapping[str, str]) -> Path:
    """Where the database, the keys and the locks live: the option, LAIDIAN_DATA, or ~/.local/share/laidian."""
    chosen = option or environment.get("LAIDIAN_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    share = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(share) / "laidian"


def load_config(option: str | None, environment: Mapping[str, str], data: Path) -> Config:
    """The option, LAIDIAN_CONFIG, or config.toml in the data folder when it exists; defaults otherwise.

    Raises ConfigProblem naming file, key and the nearest known key.
    """
    chosen = option or environment.get("LAIDIAN_CONFIG")
    path = Path(chosen).expanduser() if chosen else data / "config.toml"
    if not chosen and not path.exists():
        return Config()
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigProblem(
            f"the configuration file {path} cannot be read: {os.strerror(error.errno or 0)}."
        ) from None
    try:
        return msgspec.convert(tomllib.loads(text.decode()), Config)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path} is not valid TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise ConfigProblem(f"{path}: {error}.{_nearest(str(error))}") from None


def _nearest(message: str) -> str:
    """ "Did you mean …" for an unknown key, from msgspec's `Object contains unknown field `x``."""
    if "unknown field" not in message:
        return ""
    unknown = message.split("`")[1]
    found = difflib.get_close_matches(unknown, sorted(_known_keys() - {unknown}), n=1)
    return f" Did you mean `{found[0]}`?" if found else ""


SECTIONS: tuple[type[msgspec.Struct], ...] = (
    Config,
    ServerSettings,
    LimitSettings,
    RelaySettings,
    LedgerSettings,
    AdminSettings,
    LogSettings,
    PagesSettings,
    TuiSettings,
    UpstreamEntry,
    GroupEntry,
    PriceEntry,
)
"""Every table of the file."""


def _known_keys() -> set[str]:
    return {field.encode_name for section in SECTIONS for field in msgspec.structs.fields(section)}
