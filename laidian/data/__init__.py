"""Data files that ship with the package, and the only place that reads them.

`prices.json` is written by `scripts/update_prices.py` and never by hand; `laidian.domain.price_book` knows its shape.
"""

from importlib.resources import files


def price_book_bytes() -> bytes:
    """The shipped price book as JSON, for `laidian.domain.price_book.parse_book`; works from a zip file too."""
    return files(__name__).joinpath("prices.json").read_bytes()
