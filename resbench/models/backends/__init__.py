"""Ways to run a network, one file each that ends in `BACKEND`. Each does what it is asked for, or refuses."""

from resbench.models.backends.choosing import backends, check_options, find_backend, prepare
from resbench.models.backends.description import Backend, BackendOptions, Prepared

__all__ = [
    "Backend",
    "BackendOptions",
    "Prepared",
    "backends",
    "check_options",
    "find_backend",
    "prepare",
]
