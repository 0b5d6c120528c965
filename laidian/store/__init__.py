"""SQL on SQLite: the only package that knows a database."""
