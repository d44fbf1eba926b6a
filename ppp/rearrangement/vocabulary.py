"""The things of the world: what may be carried, where it may lie, what may be struck.

Every name here is also what a detector would call the thing (``NAMES``). How a thing looks is a
code of its own (:func:`appearance`): a fixed random vector composed of colour, shape, size,
material and a part of its kind, so that two round red things look alike and neither looks like
its word.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Tuple

import numpy as np

#: length of an appearance code
CODE = 32
#: the seed of all appearance codes; another seed is another pair of eyes
CODE_SEED = 20260
#: instances of one thing differ in looks: this many different noises, and their share of a code
NOISES, NOISE = 512, 0.25
#: the paints of things that come in several
PAINTS: Tuple[str, ...] = ("red", "blue", "green", "white")


@dataclass(frozen=True)
class Looks:
    """What a camera would tell of a thing."""

    colour: str
    shape: str
    size: str
    material: str


def _things(table: str) -> Dict[str, Looks]:
    rows = [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]
    return {name: Looks(*looks) for name, *looks in rows}


#: what may be carried, with its usual looks; the paint of ``PAINTED`` things varies
OBJECTS: Dict[str, Looks] = _things("""
    apple         | red    | round   | small  | food
    banana        | yellow | curved  | small  | food
    lemon         | yellow | round   | small  | food
    pear          | green  | round   | small  | food
    plum          | purple | round   | small  | food
    strawberry    | red    | pointed | tiny   | food
    loaf of bread | brown  | long    | middle | food
    cheese        | yellow | wedge   | small  | food
    egg           | white  | round   | tiny   | food
    bowl          | white  | hollow  | middle | clay
    plate         | white  | flat    | middle | clay
    spoon         | grey   | long    | small  | metal
    jug           | brown  | hollow  | large  | clay
    bottle        | green  | long    | middle | glass
    hammer        | grey   | long    | middle | metal
    screwdriver   | orange | long    | small  | metal
    scissors      | grey   | pointed | small  | metal
    rope          | brown  | coiled  | large  | fibre
    candle        | white  | long    | small  | wax
    book          | blue   | flat    | middle | paper
    map           | brown  | flat    | middle | paper
    key           | grey   | flat    | tiny   | metal
    coin          | yellow | flat    | tiny   | metal
    sponge        | yellow | block   | small  | foam
    towel         | white  | folded  | large  | cloth
    ball          | red    | round   | middle | rubber
    hat           | black  | hollow  | middle | cloth
    pillow        | white  | block   | large  | cloth
    mug           | white  | hollow  | small  | clay
    orange        | orange | round   | small  | food
    wrench        | grey   | long    | middle | metal
    glove         | brown  | folded  | small  | cloth
    bell          | yellow | hollow  | small  | metal
    peach         | orange | round   | small  | food
    frying pan    | black  | flat    | large  | metal
    saw           | grey   | flat    | large  | metal
    umbrella      | black  | long    | large  | cloth
    mirror        | grey   | flat    | middle | glass
""")
CATEGORIES: Tuple[str, ...] = tuple(OBJECTS)
#: named everywhere in training
TRAINED: Tuple[str, ...] = CATEGORIES[:28]
#: in training only in the families of two objects, in ``swap`` and in ``take_off``
WITHHELD: Tuple[str, ...] = CATEGORIES[28:33]
#: never in a training text nor in a training scene
UNSEEN: Tuple[str, ...] = CATEGORIES[33:]
PAINTED: Tuple[str, ...] = ("bowl", "plate", "candle", "book", "towel", "ball", "hat", "pillow")

SURFACES: Tuple[str, ...] = (
    "kitchen table", "dining table", "workbench", "bookshelf", "sofa", "bed", "stone bench",
    "window sill",
)  # fmt: skip
CONTAINERS: Tuple[str, ...] = ("chest", "cupboard", "crate", "wardrobe", "pantry")
DUMMIES: Tuple[str, ...] = (
    "straw dummy", "wooden dummy", "training post", "sandbag", "suit of armour",
)  # fmt: skip
LANDMARKS: Tuple[str, ...] = ("well", "statue", "flagpole")
GATE, WALL = "gate", "low wall"
GUARD, HAZARD = "guard", "fire pit"

FIXED: Dict[str, Looks] = _things("""
    kitchen table  | brown  | block   | huge | wood
    dining table   | black  | long    | huge | wood
    workbench      | grey   | long    | huge | wood
    bookshelf      | brown  | flat    | huge | wood
    sofa           | red    | block   | huge | cloth
    bed            | white  | long    | huge | cloth
    stone bench    | grey   | block   | huge | stone
    window sill    | white  | flat    | huge | stone
    chest          | brown  | block   | large | wood
    cupboard       | white  | block   | huge | wood
    crate          | yellow | block   | large | wood
    wardrobe       | black  | block   | huge | wood
    pantry         | green  | hollow  | huge | wood
    straw dummy    | yellow | long    | large | straw
    wooden dummy   | brown  | long    | large | wood
    training post  | grey   | long    | large | wood
    sandbag        | white  | round   | large | cloth
    suit of armour | grey   | pointed | large | metal
    well           | grey   | round   | huge | stone
    statue         | white  | pointed | huge | stone
    flagpole       | red    | long    | huge | wood
    gate           | black  | flat    | huge | metal
    low wall       | grey   | flat    | huge | stone
    guard          | blue   | long    | large | cloth
    fire pit       | orange | hollow  | huge | stone
""")
#: where one can walk to, in the order of a layout's places
PLACES: Tuple[str, ...] = (*SURFACES, *CONTAINERS, *DUMMIES, *LANDMARKS, GATE, WALL)
#: where things may lie: the first places
HOLDERS: Tuple[str, ...] = (*SURFACES, *CONTAINERS)
#: what opens and closes
OPENABLE: Tuple[str, ...] = (*CONTAINERS, GATE)
#: kinds of entity, in the order of their one-hot in an observation
TYPES: Tuple[str, ...] = (
    "object", "surface", "container", "dummy", "landmark", "gate", "wall", "guard", "hazard",
)  # fmt: skip
PLACE: Dict[str, int] = {name: i for i, name in enumerate(PLACES)}
PLACE_TYPE: Tuple[int, ...] = tuple(
    TYPES.index(kind)
    for kind, names in (
        ("surface", SURFACES), ("container", CONTAINERS), ("dummy", DUMMIES),
        ("landmark", LANDMARKS), ("gate", (GATE,)), ("wall", (WALL,)),
    )
    for _ in names
)  # fmt: skip

#: what a detector may call a thing: places, guard and hazard, objects, painted objects
NAMES: Tuple[str, ...] = (
    *PLACES, GUARD, HAZARD, *CATEGORIES,
    *(f"{paint} {name}" for name in PAINTED for paint in PAINTS),
)  # fmt: skip
NAME: Dict[str, int] = {name: i for i, name in enumerate(NAMES)}


def full_name(category: str, paint: str = "") -> str:
    """The name of an object in ``NAMES``: "apple", "red bowl"."""
    return f"{paint} {category}" if paint else category


def kind_of(name: str) -> str:
    """The name of ``NAMES`` without its paint: "red bowl" is a "bowl"."""
    return name if name in OBJECTS or name in FIXED else name.split(" ", 1)[1]


def looks_of(name: str) -> Looks:
    """The looks behind a name of ``NAMES``."""
    if name in OBJECTS or name in FIXED:
        return OBJECTS.get(name) or FIXED[name]
    paint, category = name.split(" ", 1)
    usual = OBJECTS[category]
    return Looks(paint, usual.shape, usual.size, usual.material)


def appearance() -> np.ndarray:
    """The code of every name, (len(NAMES), CODE) float32, entries of about unit variance.

    colour + shape + size + material, each a random vector shared by all that have it, plus one of
    the thing's kind: what looks alike is near, and nothing in a code knows a word.
    """
    parts: Dict[str, np.ndarray] = {}

    def part(key: str) -> np.ndarray:
        if key not in parts:
            # seeded by the key itself, so that a new thing changes no other's looks
            words = [CODE_SEED, *key.encode()]
            parts[key] = np.random.default_rng(words).standard_normal(CODE)
        return parts[key]

    rows = []
    for name in NAMES:
        looks = looks_of(name)
        rows.append(
            part(f"colour {looks.colour}") + part(f"shape {looks.shape}")
            + 0.7 * part(f"size {looks.size}") + 0.9 * part(f"material {looks.material}")
            + 1.2 * part(f"kind {kind_of(name)}")
        )  # fmt: skip
    return (np.asarray(rows) / 2.2).astype(np.float32)


def noises() -> np.ndarray:
    """What one instance differs by from its kind, (NOISES, CODE) float32; an index draws one."""
    drawn = np.random.default_rng(CODE_SEED).standard_normal((NOISES, CODE))
    return (NOISE * drawn).astype(np.float32)
