"""Which samples a reduced run uses. No torch."""


def spread(count: int, limit: int | None) -> list[int]:
    """Return `limit` positions spread evenly over `count`, so that a reduced run sees every part of an index."""
    if limit is None or limit >= count:
        return list(range(count))
    return [position * count // limit for position in range(limit)]
