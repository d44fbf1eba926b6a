"""The value of being in a state with a clip ahead."""
from __future__ import annotations

from types import SimpleNamespace

import torch

from ppp.learning.cost_to_go import CostToGo
from ppp.tasks.reference import Reference


def made(frames=7, size=5):
    g = torch.Generator().manual_seed(0)
    nominal, slope = torch.randn(2, frames, size, generator=g)
    root = torch.randn(frames, size, size, generator=g)
    value = root @ root.transpose(1, 2)
    library = SimpleNamespace(skill=torch.tensor([0, 0, 0, 0, 1, 1, 1]),
                              stops=torch.tensor([False, False, False, True, False, False, False]),
                              enterable=torch.tensor([True, True, False, True, True, True, True]))
    return CostToGo(library, nominal, value, slope), nominal, value, slope


def test_the_table_is_the_quadratic_of_each_frame():
    cost, nominal, value, slope = made()
    state = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    for n in range(3):
        for f in range(7):
            d = state[n] - nominal[f]
            expected = 0.5 * d @ value[f] @ d + slope[f] @ d
            torch.testing.assert_close(cost(state)[n, f], expected, rtol=1e-4, atol=1e-4)


def test_the_cheapest_frame_of_the_same_kind_is_entered():
    cost, nominal, _, _ = made()
    state = nominal + 0.01
    price = cost(state)
    best = cost.best(torch.tensor([0, 1, 2, 3, 4, 5, 6]), state)
    assert set(best[:3].tolist()) <= {0, 1}  # frame 2 is no beginning, frame 3 is a stop
    assert best[3] == 3 and set(best[4:].tolist()) <= {4, 5, 6}
    for n in (4, 5, 6):
        assert price[n, best[n]] == price[n, 4:].min()


def test_a_reference_begins_where_who_knows_more_says(library):
    skill = torch.tensor([library.skills.index("slash")])
    reference = Reference(library, 2)
    asked = []

    def refine(ids, rows, frame):
        asked.append((ids.tolist(), rows.tolist(), frame.shape))
        return rows + 1

    reference.refine = refine
    state = library.frame[(library.skill == skill).nonzero()[5]]
    plain = library.nearest(skill, state, stopping=True)
    reference.rephase(torch.tensor([1]), skill, state)
    assert asked == [([1], plain.tolist(), (1, 140))]
    assert reference.index.tolist() == [0, int(plain) + 1]
