"""The wordings that only tests use. All our own.

Slots as in ``wordings``. No content word of ``REPHRASED`` is in a frame of training (tested).
"""
from __future__ import annotations

from typing import Dict, List, Tuple

REPHRASED: Dict[str, Tuple[str, ...]] = {
    "move": (
        "transfer {x} to {y}", "deposit {x} {on_y}", "{y} lacks {x}: deliver it",
        "relocate {x} to {y}",
    ),
    "move_from": (
        "transfer {x} from {s} to {y}", "relocate {x}, currently {on_s}, to {y}",
        "to {y}, deliver {x} from {s}", "clear {x} {off_s} and deposit it {on_y}",
    ),
    "take_off": (
        "remove {x} from {s}", "grab {x} {on_s}", "fetch {x} {off_s}", "clear {x} {off_s}",
    ),
    "two_objects": (
        "transfer {x} and {z} to {y}", "deposit {x}, also {z}, {on_y}",
        "{y} lacks {x} and {z}: deliver these", "relocate the pair {x} and {z} to {y}",
    ),
    "swap": (
        "exchange {x} {on_s} and {z} {on_w}", "trade {x} {on_s} against {z} {on_w}",
        "reverse the positions of {x} {on_s} and {z} {on_w}",
    ),
    "open": ("unseal {c}", "swing {c} wide", "expose the contents behind {c}"),
    "close": ("seal {c}", "fasten {c}", "slam {c}"),
    "go": ("journey to {p}", "proceed to {p}", "approach {p}", "travel to {p}"),
    "run": ("sprint to {p}", "dash to {p}", "race to {p}"),
    "sneak": ("creep to {p}", "tiptoe to {p} undetected", "reach {p} by stealth"),
    "find": ("locate {x}", "track down {x}", "discover the whereabouts of {x}"),
    "strike": ("topple {d}{by}", "smash {d}{by}", "overturn {d}{by}", "defeat {d}{by}"),
    "strike_by": (
        "deliver a {verb} to {d}", "your task: a {verb} against {d}", "try a {verb} on {d}",
    ),
    "strike_avoid": (
        "topple {d} while dodging the flames", "smash {d}, but beware of burning yourself",
        "skirt the blaze and overturn {d}",
    ),
    "block_strike": (
        "defend yourself beside {d}, finally topple it", "parry near {d}, afterwards smash it",
        "protect yourself facing {d}, whereupon you defeat it",
    ),
    "put_in": (
        "transfer {x} to {c}", "stow {x} in {c}", "insert {x} into {c}", "store {x} in {c}",
    ),
    "put_in_and_close": (
        "stow {x} in {c} and seal {c}", "insert {x} into {c}, afterwards fasten it",
        "store {x} in {c} and slam it",
    ),
    "ordered": (
        "{a}; subsequently, {b}", "task one: {a}. Task two: {b}", "initially {a}, finally {b}",
        "{b}, having begun with this: {a}",
    ),
}  # fmt: skip

#: situations that one of the things fits which training never describes
CONTEXT: Dict[str, Tuple[str, ...]] = {
    "banana": ("a monkey is coming to visit and wants its favourite fruit",
               "the gorilla in the garden looks hungry for something to peel"),
    "lemon": ("my tea tastes flat, a sour slice would mend it",
              "the fried fish needs a squeeze of something sour"),
    "strawberry": ("I am cooking jam out of berries", "the cream wants a sweet red berry on top"),
    "plate": ("the cake is ready, but there is nothing flat to serve it on",
              "I have my knife and fork and nothing to eat from"),
    "jug": ("the guests are thirsty, somebody must pour them water",
            "the flowers have to be watered and I need a vessel"),
    "screwdriver": ("a screw has come loose", "the screws of the hinge must be tightened"),
    "scissors": ("I have to cut a sheet of paper", "your hair is too long and I will trim it"),
    "candle": ("the light went out and it is dark", "it is a birthday and we need a small flame"),
    "map": ("I do not know the way to the next village", "we are lost and must plan our journey"),
    "key": ("the door is locked", "I cannot get into my house, the lock is shut"),
    "sponge": ("the dirty dishes have to be scrubbed", "something wet was spilled, soak it up"),
    "towel": ("I have just had a bath and am dripping wet", "the swimmer wants to get dry"),
    "ball": ("the children want to play catch", "the dog would like something round to chase"),
}
#: what is asked for after a situation, with what fulfils it: on a surface, held, or found
CONTEXT_FRAMES: Tuple[Tuple[str, str], ...] = (
    ("move", "{situation}. What would help should be brought to {y}"),
    ("move", "{situation}, so put something suitable {on_y}"),
    ("move", "bring the thing I need to {y}: {situation}"),
    ("hold", "{situation}. Pick up the thing that I need"),
    ("find", "{situation}. Where is the thing that helps?"),
)

#: the same things by what they look like or are for
REFERRING: Dict[str, Tuple[str, ...]] = {
    "banana": ("the long curved fruit", "the yellow fruit that one peels"),
    "lemon": ("the small round sour fruit", "the yellow citrus fruit"),
    "pear": ("the green fruit", "the green fruit with a narrow top"),
    "strawberry": ("the tiny red berry", "the pointed red berry"),
    "plate": ("the flat round dish", "the dish to eat meat and potatoes from"),
    "jug": ("the large brown vessel with a handle", "the vessel to pour water from"),
    "screwdriver": ("the tool with an orange grip", "the tool that turns screws"),
    "scissors": ("the pointed thing with two blades", "the thing that cuts paper"),
    "candle": ("the stick of wax", "the thing with a wick to be lit"),
    "map": ("the paper that shows roads", "the drawing of the country"),
    "key": ("the tiny metal thing that fits a lock", "the thing that unlocks doors"),
    "sponge": ("the yellow block full of holes", "the soft thing to wash dishes with"),
    "towel": ("the large folded cloth", "the cloth to dry oneself with"),
    "ball": ("the round rubber toy", "the toy that bounces"),
}

#: what would fit nearly as well as the one that is meant, and is not in its scene
RIVALS: Dict[str, Tuple[str, ...]] = {
    "banana": ("orange",), "lemon": ("orange",), "strawberry": ("apple",), "plate": ("bowl",),
    "jug": ("bottle", "mug", "bowl"), "screwdriver": ("wrench", "hammer"),
    "sponge": ("towel",), "towel": ("sponge", "pillow"), "map": ("book",),
    "ball": ("apple", "orange"),
}  # fmt: skip

#: sentences without bearing on the task; {e} a thing, {q} a place, neither of them in the task
IRRELEVANT: Tuple[str, ...] = (
    "Never mind the {e} by the {q}. {base}",
    "{base} Somebody dropped the {e} near the {q} yesterday.",
    "My sister is fond of the {e} on the {q}. {base}",
    "{base} By the way, the {e} is older than the {q}.",
    "The weather is fine and the {q} was cleaned this morning. {base}",
    "{base} Dinner is at eight, and the {e} was expensive.",
    "A bird sings beside the {q} all day. {base}",
    "{base} The {e} was a present, and so was the {q}.",
    "I was told that the {e} came from overseas. {base}",
    "{base} Nobody has touched the {q} for years.",
)

#: places by where they are; {r}, {q} other places
SPATIAL: Dict[str, Tuple[str, ...]] = {
    "closest": ("the surface closest to {r}", "the surface right next to {r}"),
    "farthest": ("the surface farthest from {r}", "the surface that is most distant from {r}"),
    "same_room": ("the surface in the same room as {r}", "the only surface in the room of {r}"),
    "between": ("the surface between {r} and {q}", "the surface half way from {r} to {q}"),
    "left_of": ("the surface to the left of {r}", "the surface at the left hand when facing {r}"),
    "right_of": ("the surface to the right of {r}",
                 "the surface at the right hand when facing {r}"),
    "north": ("the northernmost surface of the house", "the surface farthest to the north"),
    "east": ("the easternmost surface of the house", "the surface farthest to the east"),
}
SPATIAL_FRAMES: Tuple[str, ...] = (
    "put {x} on {place}", "bring {x} to {place}", "carry {x} over to {place}",
    "I want {x} on {place}", "take {x} and put it on {place}",
)

THREE: Dict[str, Tuple[str, ...]] = {
    "one_place": (
        "put {x}, {z} and {v} {on_y}", "bring {x}, {z} and {v} to {y}",
        "I want {x}, {z} and {v} {on_y}", "move {x}, {z} and also {v} to {y}",
    ),
    "three_places": (
        "put {x} {on_y}, {z} {on_w} and {v} {on_u}", "bring {x} to {y}, {z} to {w} and {v} to {u}",
        "{x} belongs {on_y}, {z} {on_w} and {v} {on_u}",
    ),
    "strikes": (
        "knock over {d}, {e} and {f}", "strike {d}, then {e} and then {f}",
        "{d}, {e} and {f} must fall",
    ),
}  # fmt: skip

ALL_OF: Tuple[str, ...] = (
    "put all the {plural} {on_y}", "bring every {one} to {y}", "move all {plural} to {y}",
    "I want all of the {plural} {on_y}", "find every {one} and put them {on_y}",
    "all {plural} belong {on_y}",
)
PLURALS: Dict[str, str] = {
    "loaf of bread": "loaves of bread", "scissors": "scissors", "strawberry": "strawberries",
    "cheese": "cheeses",
}

CONDITIONAL: Tuple[str, ...] = (
    "if {if}, {a}, otherwise {b}", "{a} if {if}, else {b}",
    "look whether {if}: if so, {a}, if not, {b}",
    "should it be that {if}, {a}; in the other case {b}", "{b}, unless {if}: then {a}",
)
#: what an "if" may ask, by the condition that answers it
QUESTIONS: Dict[str, Tuple[str, ...]] = {
    "open": ("{t} is open", "{t} stands open"), "shut": ("{t} is closed", "{t} is shut"),
    "down": ("{t} lies on the floor", "{t} has been knocked over"),
    "up": ("{t} is standing", "{t} stands upright"),
}
#: the two outcomes of an "if": both of one kind
OUTCOMES: Dict[str, Tuple[str, ...]] = {
    "move": ("put {x} {on_y}", "bring {x} to {y}"), "hold": ("pick up {x}", "take {x}"),
    "strike": ("knock over {d}", "strike {d}"),
}


def plural(category: str) -> str:
    """More than one of a thing."""
    return PLURALS.get(category, category + ("es" if category.endswith("ch") else "s"))


def all_frames() -> List[str]:
    """Every held-out frame of the rephrasing split."""
    return [frame for frames in REPHRASED.values() for frame in frames]
