"""Rows for torchgen; see the entry points in pyproject.toml."""
