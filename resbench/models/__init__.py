"""Modules built from the descriptions in `resbench.architectures`."""
