"""One module per screen; `tui.tops` names those behind tabs. A screen is imported when it is first shown."""
