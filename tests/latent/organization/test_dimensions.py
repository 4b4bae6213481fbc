import math

import numpy as np

from vaetools.latent.organization import active_units, collapsed


def test_units_that_vary_are_active(normal, perfect, shuffled):
    assert active_units(normal) == 3
    assert active_units(normal * [1, 0.2, 0.09]) == 2
    assert active_units(normal * [1, 0.2, 0.09] + 50) == 2
    assert active_units(shuffled.Z) == active_units(perfect.Z) == 5


def test_units_of_collapsed_codes_are_not():
    assert active_units(np.full((400, 3), 0.1)) == 0
    assert active_units(np.ones((1, 3))) == 0


def test_a_posterior_collapses_if_all_components_together_say_nothing():
    bit = math.log(2)
    assert collapsed(np.full(10, 0.099 * bit))
    assert not collapsed(np.full(10, 0.101 * bit))
    assert not collapsed([0.0, 0.0, 5.0])
    assert collapsed([0.0, 0.0, 5.0], least_kl=6)
    assert [collapsed([0.5], explained=share) for share in (None, 0.49, 0.5)] == [True, True, False]
