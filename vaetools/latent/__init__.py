"""About latents: arrays in, arrays or numbers out. What a map may be is known here."""

from vaetools.checks import POSITIVE_INTEGER, Requirement, is_integer, is_number, one_of

MAP_PARAMETERS = {
    "method": one_of("umap", "tsne", "pca"),
    "n_components": POSITIVE_INTEGER,
    "n_neighbors": Requirement("an integer at least 2", lambda value: is_integer(value, 2)),
    "perplexity": Requirement("a number at least 1", lambda value: is_number(value, 1)),
}
