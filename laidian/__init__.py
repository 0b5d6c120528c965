"""LaiDian: a small, exact relay for accounts at model providers."""

__version__ = "0.1.0"
