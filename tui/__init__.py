"""The dashboard: what an operator watches and does in a terminal, over SSH or beside the server.

Owns screens and keys. Knows the server only by `laidian.admin.schema` and `laidian.admin.client`; holds no rule and no number of
its own. The rules a newcomer would break: text from outside (names, models, errors) goes through `tui.text` and never through
markup; when the server is away, the last picture stays, dimmed, under one banner.
"""
