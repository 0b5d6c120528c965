"""The pages that a browser sees: documentation, models and prices, status, and a key's own figures.

No cookies, no session, no script that a page could not do without but for looking at a key, nothing from another host. Until a page is
asked for, only `router`, `door` and `headers` are loaded.
"""
