"""Whether a model knows its training rows by heart: what others cost beside them."""

_HEART = 0.25  # nats per value, or share, by which rows that did not train may cost more than others


def learnt_by_heart(train: float, others: float, n_features: int, *, likelihood: str) -> bool:
    """Whether rows cost, on average, so much more than those that trained that these were learnt by heart.

    So it is if a value costs a quarter of a nat more; under a Gaussian of learnt scale the squared error is
    then half as large again. Bernoulli costs are never negative: there a quarter more is enough.
    """
    most = _HEART * n_features
    if likelihood.lower().startswith("bernoulli"):
        most = min(most, _HEART * train)
    return others - train >= most
