"""The held-out splits: what is new in each. All are set in layouts that training never has."""
from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, Sequence, Tuple

from ppp.rearrangement import actions as acts
from ppp.rearrangement import families as fam
from ppp.rearrangement import heldout, wordings
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.families import Draft, Slotter, Thing, carried, place_slots, sentence
from ppp.rearrangement.layout import YARD, Layout
from ppp.rearrangement.task import Setup

#: a text and its draft
Drawn = Tuple[str, str, Draft]
#: families about one thing, those that the paper withholds objects from
SINGLE: Tuple[str, ...] = ("move", "move_from", "find", "put_in")
#: what is not put among irrelevant words: it is long already
_LONG = ("situated", "ordered")
#: how much an answer must differ from the next best, m
MARGIN = 0.6


def _frames(draft: Draft) -> Tuple[str, ...]:
    return wordings.SITUATED if draft.frames == "situated" else wordings.TRAIN[draft.frames]


def trained(q: Slotter, names: Sequence[str] = ()) -> Drawn:
    """Family, frame and draft as in training; ``names``: of these families alone."""
    known = fam.FAMILIES if q.preset == "full" else fam.PAPER_FAMILIES
    names = [n for n in (names or known) if n in known]
    family = q.rng.choices(names, [fam.FAMILIES[n][1] for n in names])[0]
    draft = fam.FAMILIES[family][0](q)
    return family, q.rng.choice(_frames(draft)), draft


def rephrasing(q: Slotter, index: int) -> Drawn:
    """Wordings that training does not have; things by their names."""
    q.described = False
    family, _, draft = trained(q, [n for n in fam.FAMILIES if n != "situated"])
    return family, q.rng.choice(heldout.REPHRASED[draft.frames]), draft


def context(q: Slotter, index: int) -> Drawn:
    """A situation that one thing fits."""
    category = q.rng.choice(list(heldout.CONTEXT))
    kind, frame = q.rng.choice(heldout.CONTEXT_FRAMES)
    thing, y = [category, "", ""], q.one("surface")
    rivals = list(heldout.RIVALS.get(category, ()))
    slots = {"situation": q.rng.choice(heldout.CONTEXT[category]), **place_slots("y", y)}
    if kind == "move":
        return "context", frame, Draft("", slots, [[["on", thing, y]]], carried(thing, y),
                                       Setup([thing], [[category, y]], without=rivals))
    start = q.one("place")
    away = [[category, start]] if start in words.HOLDERS else []
    goal = "holding" if kind == "hold" else "near"
    return "context", frame, Draft("", slots, [[[goal, thing]]],
                                   [[["before", thing]], [[goal, thing]]],
                                   Setup([thing], away, without=rivals, start=start))


def referring(q: Slotter, index: int) -> Drawn:
    """Wordings of training; the thing by its looks or use, as no training text describes it."""

    def mention() -> Thing:
        category = q.rng.choice(list(heldout.REFERRING))
        return Thing(category, "", q.rng.choice(heldout.REFERRING[category]),
                     heldout.RIVALS.get(category, ()))

    q.mentions = mention
    return trained(q, (*SINGLE, "take_off"))


def irrelevant(q: Slotter, index: int) -> Drawn:
    """A request of training among words without bearing on it."""
    q.described = False
    family, frame, draft = trained(q, [n for n in fam.FAMILIES if n not in _LONG])
    named = " ".join(draft.slots.values())
    things = [c for c in words.TRAINED if c not in named]
    places = [p for p in q.names["place"] if p not in named]
    draft.slots.update(e=q.rng.choice(things), q=q.rng.choice(places))
    draft.slots["base"] = sentence(frame, draft.slots)
    return family, q.rng.choice(heldout.IRRELEVANT), draft


def spatial(q: Slotter, index: int) -> Drawn:
    """The surface by where it is."""
    q.described = False
    relation, y, slots = _relation(q)
    place = q.rng.choice(heldout.SPATIAL[relation]).format(**slots)
    x = q.thing()
    draft = Draft("", {"x": x.mention, "place": place}, [[["on", x.means(), y]]],
                  carried(x.means(), y), Setup([x.means()], [[x.category, y]]))
    return "spatial", q.rng.choice(heldout.SPATIAL_FRAMES), draft


def _relation(q: Slotter) -> Tuple[str, str, Dict[str, str]]:
    """A relation with one clear answer in this layout: (relation, surface, slots)."""
    while True:
        relation = q.rng.choice(list(heldout.SPATIAL))
        r = q.one("place")
        other = q.one("place", r)
        answers = resolve(q.layout, relation, r, other)
        if len(answers) == 1:
            return relation, answers[0], {"r": f"the {r}", "q": f"the {other}"}


def resolve(layout: Layout, relation: str, r: str, q: str = "") -> List[str]:
    """The surfaces that a relation to ``r`` (and ``q``) means: one where it is clear, else none.

    closest, farthest: by the straight line, clear by ``MARGIN``. between: nearest to the middle
    of r and q, and clear. same_room: the only one there. left_of, right_of: the only one in the
    room of r on that side of who faces r. north, east: by y or x, clear by ``MARGIN``.
    """
    if relation in ("north", "east"):
        axis = 1 if relation == "north" else 0
        return _clear(layout.names(words.SURFACES),
                      lambda s: -float(layout.xy[words.PLACE[s]][axis]))
    surfaces = [s for s in layout.names(words.SURFACES) if s not in (r, q)]
    xy = {name: layout.xy[words.PLACE[name]] for name in (*surfaces, r, *([q] if q else []))}
    if relation == "closest":
        return _clear(surfaces, lambda s: math.dist(xy[s], xy[r]))
    if relation == "farthest":
        return _clear(surfaces, lambda s: -math.dist(xy[s], xy[r]))
    if relation == "between":
        middle = 0.5 * (xy[r] + xy[q])
        found = _clear(surfaces, lambda s: math.dist(xy[s], middle))
        apart = math.dist(xy[r], xy[q])
        return [s for s in found if math.dist(xy[s], middle) < 0.3 * apart]
    room = layout.room[words.PLACE[r]]
    inside = [s for s in surfaces if layout.room[words.PLACE[s]] == room and room != YARD]
    if relation == "same_room":
        return inside if len(inside) == 1 else []
    heading = float(layout.heading[words.PLACE[r]])
    left = (-math.sin(heading), math.cos(heading))
    sign = 1.0 if relation == "left_of" else -1.0
    side = [s for s in inside if sign * float((xy[s] - xy[r]) @ left) > MARGIN]
    return side if len(side) == 1 else []


def _clear(names: Sequence[str], score: Callable[[str], float]) -> List[str]:
    ranked = sorted(names, key=score)
    return ranked[:1] if score(ranked[1]) - score(ranked[0]) > MARGIN else []


def three_objects(q: Slotter, index: int) -> Drawn:
    """Three things to carry or three dummies to strike; training has two at most."""
    q.described = False
    strikes = 2 if len(q.names["dummy"]) >= 3 else 0
    kind = q.rng.choices(list(heldout.THREE), (4, 4, strikes))[0]
    frame = q.rng.choice(heldout.THREE[kind])
    if kind == "strikes":
        dummies = q.rng.sample(q.names["dummy"], 3)
        goals = [["did", list(acts.STRIKES), d] for d in dummies]
        slots = {letter: f"the {d}" for letter, d in zip("def", dummies)}
        return "three_strikes", frame, Draft("", slots, [goals], [[g] for g in goals], Setup())
    things: List[Thing] = []
    while len(things) < 3:
        drawn = q.thing()
        if drawn.category not in [t.category for t in things]:
            things.append(drawn)
    places = q.rng.sample(q.names["surface"], 3)
    if kind == "one_place":
        places = [places[0]] * 3
    slots, goals, steps, setup = {}, [], [], Setup()
    for letter, spot, thing, y in zip("xzv", "ywu", things, places):
        slots.update({letter: thing.mention, **place_slots(spot, y)})
        goals.append(["on", thing.means(), y])
        steps += carried(thing.means(), y)
        setup.things.append(thing.means())
        setup.off.append([thing.category, y])
    return "three_objects", frame, Draft("", slots, [goals], steps, setup)


def novel_objects(q: Slotter, index: int) -> Drawn:
    """Families of one thing with a category that training has only in families of two."""
    q.described, q.single = False, words.WITHHELD
    return trained(q, SINGLE)


def unseen_words(q: Slotter, index: int) -> Drawn:
    """The same with categories that are in no training text and in no training scene."""
    q.described, q.single = False, words.UNSEEN
    return trained(q, SINGLE)


def all_of(q: Slotter, index: int) -> Drawn:
    """All two or three things of a category, hidden ones too."""
    category, y = q.rng.choice(words.TRAINED), q.one("surface")
    free = [h for h in q.names["holder"] if h != y]
    holders = q.rng.sample(free, q.rng.choice((2, 2, 3)))
    things = [[category, "", h] for h in holders]
    slots = {"plural": heldout.plural(category), "one": category, **place_slots("y", y)}
    steps = [step for thing in things for step in carried(thing, y)]
    return "all_of", q.rng.choice(heldout.ALL_OF), Draft(
        "", slots, [[["all_on", [category, "", ""], y]]], steps, Setup(things, only=[category]))


def conditional(q: Slotter, index: int) -> Drawn:
    """An "if" about something to be looked at; even tasks are true, odd ones are not."""
    q.described, truth = False, index % 2 == 0
    full = q.preset == "full"
    name = q.rng.choice(("open", "shut", "open", "shut", *(("down", "up") if full else ())))
    target = q.one("dummy" if name in ("down", "up") else "openable")
    kind = q.rng.choices(list(heldout.OUTCOMES), (3, 2, 2 if full else 0))[0]
    setup, keep = Setup(), []
    if name in ("open", "shut"):
        is_open = (name == "open") == truth
        setup.state[target] = is_open
        keep.append(["open" if is_open else "shut", target])
    elif (name == "down") == truth:
        setup.down.append(target)
    a, b = _outcomes(q, kind, target, setup)
    true, false = (a, b) if truth else (b, a)
    keep += [false[2]]
    slots = {"if": q.rng.choice(heldout.QUESTIONS[name]).format(t=f"the {target}"), "a": a[0],
             "b": b[0]}
    branches = [[a[1]], [b[1]]]
    draft = Draft("", slots, [true[1]], [*_looked(target), *true[3]], setup, keep, [name, target],
                  branches)
    return "conditional", q.rng.choice(heldout.CONDITIONAL), draft


def _looked(target: str) -> List[List[List[Any]]]:
    """The first sub-goal of an "if": to stand before what it asks about."""
    return [[["at", target]]]


def _outcomes(q: Slotter, kind: str, target: str, setup: Setup) -> List[Tuple]:
    """Two of a kind: text, conditions, what must not happen instead, sub-goals."""
    made: List[Tuple] = []
    if kind == "strike":
        for d in q.rng.sample([d for d in q.names["dummy"] if d != target], 2):
            text = q.rng.choice(heldout.OUTCOMES[kind]).format(d=f"the {d}")
            goal = ["did", list(acts.STRIKES), d]
            made.append((text, [goal], ["up", d], [[["at", d]], [goal]]))
        return made
    used: List[str] = []
    while len(made) < 2:
        x, y = q.thing(), q.one("surface")
        if x.category in used:
            continue
        used.append(x.category)
        thing = x.means()
        text = q.rng.choice(heldout.OUTCOMES[kind]).format(x=x.mention, **place_slots("y", y))
        setup.things.append(thing)
        setup.only.append(x.category)
        if target in words.CONTAINERS:  # whose door must stay as it is
            setup.off.append([x.category, target])
        if kind == "move":
            setup.off.append([x.category, y])
            made.append((text, [["on", thing, y]], ["stay", thing], carried(thing, y)))
        else:
            made.append((text, [["holding", thing]], ["stay", thing],
                         [[["before", thing]], [["holding", thing]]]))
    return made


def scene(q: Slotter, index: int) -> Drawn:
    """Nothing new but the layout."""
    return trained(q)


BUILDERS: Dict[str, Callable[[Slotter, int], Drawn]] = {
    "scene": scene, "rephrasing": rephrasing, "context": context, "irrelevant": irrelevant,
    "referring": referring, "spatial": spatial, "three_objects": three_objects,
    "novel_objects": novel_objects, "all_of": all_of, "conditional": conditional,
    "unseen_words": unseen_words,
}  # fmt: skip
