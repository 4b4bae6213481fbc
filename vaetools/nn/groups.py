"""How layers of a network are judged together, known without loading torch."""

from itertools import pairwise, product

LAYERS_NEEDED = {"places": 2, "whole": 1, "both": 3}  # by what is judged
REGIONS_A_SIDE = 4  # of an image, that a conditional autoencoder of places tells apart
N_REGIONS = REGIONS_A_SIDE**2
N_FROM_RIM = 4  # distances of places from the rim of an image that are told apart


def groups_of(n_layers: int) -> list[tuple[slice, int]]:
    """Return the layers of every group, from fine to coarse, and over how many places a side each averages.

    Every two neighboring layers are judged as they are, which finds fine things, and averaged, which judges
    texture better; the finest of several only as they are.

    Examples
    --------
    >>> groups_of(3)
    [(slice(0, 2, None), 1), (slice(1, 3, None), 1), (slice(1, 3, None), 3)]
    >>> groups_of(0)
    []
    """
    if n_layers < 2:
        return []
    first, *others = (slice(start, end + 1) for start, end in pairwise(range(n_layers)))
    return [(first, 1), *product(others, (1, 3))] if others else [(first, 1), (first, 3)]
