"""Data files that ship with the package, and the only place that reads them.

`prices.json` is written by `scripts/update_prices.py` and never by hand; `laidian.domain.price_book` knows its shape.
`config.example.toml` is the file at the top of the repository, by a link: `laidian help config` shows the same text.
"""

from importlib.resources import files


def price_book_bytes() -> bytes:
    """The shipped price book as JSON, for `laidian.domain.price_book.parse_book`; works from a zip file too."""
    return files(__name__).joinpath("prices.json").read_bytes()


def config_example() -> str:
    """Every setting with its default and a word on it."""
    return files(__name__).joinpath("config.example.toml").read_text()
