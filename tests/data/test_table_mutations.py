"""Tables that were changed at random are read, or refused in one line."""

import pytest

from benchmarks.table_mutations import write_mutated
from vaetools.data.sources import kind_of
from vaetools.data.tables import open_table


@pytest.mark.parametrize("start", range(0, 300, 60))
def test_mutated_tables_are_read_or_refused_in_one_line(tmp_path, start):
    outcomes = []
    for seed in range(start, start + 60):
        path = write_mutated(tmp_path, seed)
        try:
            assert kind_of(path) == "table"
            outcomes.append(sum(len(batch.X) for batch in open_table(path, mixed=seed % 2 == 1).batches(7)))
        except ValueError as error:
            assert type(error) is ValueError, seed  # noqa: PT017
            message = str(error)
            assert message.startswith(str(path)), seed
            assert "\n" not in message, seed
            assert len(message) < len(str(path)) + 700, seed
            outcomes.append(None)
    assert None in outcomes
    assert sum(n is not None and n > 10 for n in outcomes) > 5


def test_offsets_of_arrow_are_not_believed(tmp_path):
    path = write_mutated(tmp_path, 2131)
    assert path.suffix == ".arrow"
    with pytest.raises(ValueError, match=r"mutated\.arrow: not a readable Arrow file: .*offset"):
        list(open_table(path, mixed=True).batches())
