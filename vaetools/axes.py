"""Which axis of an array of images holds the channels, where its shape leaves no doubt."""

CHANNELS = ("first", "last")
_FEW = 4  # channels that an image has as a rule: gray, gray and alpha, RGB, RGBA

Shape = tuple[int, int, int]


def readings(shape: tuple[int, ...]) -> dict[str, Shape]:
    """Return what an image may be, (channels, height, width), by the place of its channels.

    Examples
    --------
    >>> readings((100, 8, 16, 4))
    {'first': (8, 16, 4), 'last': (4, 8, 16)}
    """
    _, a, b, c = shape
    return {"first": (a, b, c), "last": (c, a, b)}


def likely_reading(shape: tuple[int, ...]) -> str | None:
    """Return the place of the channels if in one place alone they are few, and fewer than pixels a side.

    Examples
    --------
    >>> [likely_reading((100, *sides)) for sides in ((3, 32, 32), (8, 16, 4), (8, 4, 4), (32, 32, 13))]
    ['first', 'last', None, None]
    """
    likely = [place for place, (n, *sides) in readings(shape).items() if n <= _FEW and n < min(sides)]
    return likely[0] if len(likely) == 1 else None
