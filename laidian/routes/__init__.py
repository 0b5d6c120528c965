"""The public HTTP surface: which path goes where."""
