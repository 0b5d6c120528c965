"""Topics on running an instance: money, backups, upgrades, moving in, checking an upstream, security."""

from __future__ import annotations


def money() -> str:
    return """Money

Amounts are whole billionths of a US dollar inside and exact decimal text outside; prices are dollars per million of a unit.

Before a request leaves, its worst case is held: its input as far as it can be told from the bytes, and its output limit, at the dearest rate
it could meet. Without an output limit it is the model's own, capped at what the quota has left. A stream that outgrows its hold is given more
while the quota has it, and is ended with insufficient_quota when it has not.

The settlement is the single end of a hold: the usage record, the money and the limits move in one transaction. It charges what the upstream
reports. Where it reports nothing, tokens are counted from the bytes and the record says `estimated`. What an upstream bills beyond the hold
and the rest of the quota is the operator's loss, recorded as the shortfall: no quota goes below zero.

Each line of a receipt (laidian usage show ID) is quantity x price x multiplier, rounded once, so that the lines add up to the amount. The
multiplier is the group's, 1x unless you say otherwise, and the holder of the key sees it.

A request whose process died is charged its likely input and the output noted until then, at most its hold; its record says `lost`.

  laidian price show MODEL       what it costs, who says so, since when
  laidian price diff, adopt      a newer price book, looked at and then taken; never by itself
  laidian quota create NAME      --balance USD, or --limit-day and so on, or --unlimited
  laidian audit                  replays the ledger: records, balances, windows and holds have to add up"""


def backup() -> str:
    return """Backup

Two things bring everything back:

  laidian.db    keys (digests), groups, quotas, upstreams with sealed credentials, prices, every record
  master.key    opens those credentials; keep a copy of it once, apart from the backups

  laidian backup /mnt/safe/laidian-$(date +%F).db --verify     also while the server runs; one consistent moment
  laidian restore /mnt/safe/laidian-2026-11-29.db              while it does not; what was there is kept in backups/

Never copy laidian.db with cp while the server runs: what was settled last lies in the log beside it (laidian.db-wal).

Before a migration, an upgrade and a restore a copy is put into backups/ in the data folder by itself. admin.token may be lost: without the
file the next start makes a new one. config.toml is yours."""


def upgrade() -> str:
    return """Upgrade

  laidian upgrade ./laidian.pyz             SHA256SUMS or laidian.pyz.sha256 lies beside it
  laidian upgrade ./laidian.pyz --sha256 HEX
  laidian upgrade --rollback

In this order: the sum is compared; the file is asked for its version; the database is copied; the file serves that copy at a free port of
loopback until it is ready; it takes the place of the old one, which stays beside it as laidian.pyz.previous; the service is restarted, if a
unit of ours runs it or --restart says how. If the new version does not answer, the old file comes back by itself, and the old database too
where the new one had changed its schema.

--rollback goes back by hand. A database that the new version has changed is refused by the old one; --with-database takes the copy of before
the upgrade, and what was settled since is lost (and kept in backups/).

What was installed with pip, pipx or uv is upgraded with them; migrations and the copy before them are the same."""


def coming() -> str:
    return """Coming from another gateway

  laidian import new-api ./one-api.db               what would come over, and what not and why; nothing is changed
  laidian import new-api ./one-api.db --apply       does it, in one transaction; may be run again

  one-api, new-api   the SQLite file. Channels, groups with their ratio as multiplier, users' balances as quotas (500,000 units are a dollar),
                     tokens with their rest as limit, model ratios as prices where the price book knows none
  sub2api            a plain pg_dump (pg_dump --data-only DATABASE > dump.sql), or JSON with the tables accounts, account_groups, groups,
                     api_keys, users, proxies. API-key accounts only; logins of persons stay behind
  litellm            config.yaml; with --keys rows of its key table as JSON, whose hashes are the digests that are kept here
  uni-api            api.yaml
  cliproxyapi        config.yaml; API keys only

Holders keep their keys and change the base URL. A key with a limit that has no equal here (bound to addresses, credits that renew) comes
over disabled. Credentials go straight into the vault; the file you imported from still has them in the clear."""


def reconcile() -> str:
    return """Reconcile: is the upstream honest?

  laidian reconcile openai --upstream openai --api-key-stdin < admin.key       OpenAI's usage and costs, with an admin key (sk-admin-...)
  laidian reconcile openai usage.json costs.json --upstream openai             the same from saved answers
  laidian reconcile openrouter activity.csv --upstream openrouter              its activity page's CSV, or the API's JSON
  laidian reconcile relay --upstream friend --api-key-env FRIENDS_KEY          another LaiDian, or sub2api: the key asks for itself
  laidian reconcile new-api --upstream cheap --api-key-env CHEAP_KEY           the records of that key

Days are UTC and whole; the last seven unless you say --since and --until. Exit code 3 when something differs by more than --threshold
percent (1), so that a timer can watch it. Money is compared at the published price, before your own multiplier.

  output tokens: they count 6000, we counted 5000 (+20.0 %)      tokens billed and not used
  ... that is 1.30x for the same tokens                          a multiplier nobody told you of
  as many requests were billed as `gpt-5.4-mini`                 another model than was asked for
  they bill it, and nothing here asked for it                    the account has another user, or its key leaked"""


def security() -> str:
    return """Security: what is protected from whom

What there is to lose: the providers' credentials (money), client keys (money), prompts and answers (privacy), the ledger (truth), the host.

  somebody on the internet     sees the relay's endpoints and the pages you allow, nothing of /admin or /metrics unless admin.remote is on.
                               Keys are 256 random bits, so that guessing finds nothing, and every wrong one gets the same answer; wrong admin
                               tokens and guesses at a balance are slowed down by address. Bodies, headers, nesting and time are bounded
  a holder of a key            has what the group allows and what quota and limit pay for, under any concurrency. Objects (files, responses,
                               conversations) open to the key that made them alone. Addresses that a caller names are never fetched
  an upstream                  gets headers from an allow-list and never a client's key, cookie or address. Its errors are put into our words,
                               its headers pass an allow-list, its text is cleaned before it meets a terminal or a page
  a thief of a backup          has digests of random keys, which open nothing, and credentials sealed with AES-256-GCM; master.key is not in it
  other users of the machine   files are 0600 in a folder 0700, and a folder that others can read is refused

Not protected: a host whose root is somebody else's (master.key lies on it), an upstream that lies (laidian reconcile finds out afterwards),
and your holders from you: whoever relays can read. Prompts and answers are never stored, logged or shown here, and no switch does it.

No credential is ever an argument of a command, where ps shows it: --api-key-stdin, --api-key-env, or a prompt that shows nothing. Keys are
shown once. Logs hold no query, body or key.

  put TLS in front: laidian setup --front caddy, nginx or tls        run it as a user of its own: laidian setup --service system
  the unit shuts what systemd can shut: laidian setup --service system --print; systemd-analyze security laidian"""


def keys() -> str:
    return """Keys of the dashboard

`?` in the dashboard shows the keys of the screen in front, : finds every action by its name. Where you want other keys, give them in
config.toml on the machine that the dashboard runs on (--config, LAIDIAN_CONFIG, or config.toml in the data folder):

  [tui.keys]
  "keys.new" = "c"                  # instead of n, on the screen of keys
  "table.filter" = "f5, /"          # two keys, in every table
  "frame.help" = "f1"

  laidian tui --keys                every name, its keys and what it does

A key is one sign, or a name such as enter, f5, home or pageup; ctrl+, alt+ and shift+ may stand before it. The last line, `?` and the palette
show your keys; sentences that mention a key mention its usual one. A name that is none, a key that is none and a key that would do two things
on one screen are said before the dashboard opens. Forms, questions and ctrl+c keep their keys."""
