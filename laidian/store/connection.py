"""The types of a connection and its errors, for layers that pass one on and may not know the database behind it."""

from __future__ import annotations

import sqlite3

Connection = sqlite3.Connection
DatabaseError = sqlite3.Error
"""Inside a writing transaction for everything that changes something; see store.writer and store.database.immediate."""
