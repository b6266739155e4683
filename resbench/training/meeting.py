"""How processes of one run, started by torchrun or by us, know of each other: without torch, for those who start them."""

import os
from collections.abc import Mapping

RENDEZVOUS = "RESBENCH_RENDEZVOUS"
"""Names, for processes that we have started, the file through which they find each other; torchrun uses a port."""


def started(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many processes torchrun, or we, have started for this run: 1 where nobody has."""
    return int(environment.get("WORLD_SIZE", "1"))
