"""The wordings of training, by family. All our own.

Slots: {x}, {z} things ("the apple"); {y}, {s}, {w}, {c}, {p}, {d} places ("the sofa"); {on_y} "on
the sofa" or "in the chest", {off_s} "off the sofa" or "out of the chest"; {by} a weapon, with its
blank, or nothing; {verb} a blow; {a}, {b} whole requests.
"""
from __future__ import annotations

from typing import Dict, Tuple

TRAIN: Dict[str, Tuple[str, ...]] = {
    "move": (
        "put {x} {on_y}", "place {x} {on_y}", "bring {x} to {y}", "carry {x} over to {y}",
        "take {x} and put it {on_y}", "move {x} to {y}", "I want {x} {on_y}",
        "get {x} and leave it {on_y}", "{x} belongs {on_y}", "find {x} and bring it to {y}",
        "please set {x} {on_y}", "could you lay {x} {on_y}?", "{y} is the place for {x}",
    ),
    "move_from": (
        "move {x} from {s} to {y}", "take {x} {off_s} and put it {on_y}",
        "bring {x} from {s} to {y}", "carry {x} from {s} over to {y}",
        "{x} is {on_s}, put it {on_y}", "get {x}, which is {on_s}, and place it {on_y}",
        "pick {x} up from {s} and set it {on_y}", "go to {s}, take {x} and leave it {on_y}",
        "I left {x} {on_s}, but I want it {on_y}", "{x} {on_s} belongs {on_y}",
    ),
    "take_off": (
        "take {x} {off_s}", "pick up {x} from {s}", "get {x} from {s}",
        "pick {x} up, it is {on_s}", "go to {s} and take {x}",
        "I want you to hold {x} that is {on_s}", "{x} must not stay {on_s}, take it",
        "get {x} {off_s}", "please pick up {x} {on_s}", "lift {x} {off_s}",
    ),
    "two_objects": (
        "put {x} and {z} {on_y}", "bring {x} and {z} to {y}", "carry both {x} and {z} to {y}",
        "move {x} to {y}, and {z} too", "place {x} {on_y} together with {z}",
        "I want {x} and {z} {on_y}", "take {x} to {y}, then {z}",
        "get {x} and {z} and leave them {on_y}", "{x} and {z} belong {on_y}",
        "set {x} as well as {z} {on_y}", "find {x} and {z} and put both {on_y}",
    ),
    "swap": (
        "swap {x} {on_s} and {z} {on_w}", "switch {x} {on_s} with {z} {on_w}",
        "{x} {on_s} and {z} {on_w} should change places",
        "{x} is {on_s} and {z} {on_w}: swap them", "let {x} {on_s} and {z} {on_w} switch places",
        "take {x} from {s} to {w} and {z} from {w} to {s}",
        "bring {x} from {s} to {w}, and {z} the other way", "swap {x} from {s} for {z} from {w}",
        "put {x} from {s} where {z} is {on_w}, and {z} where {x} was",
        "change the places of {x} {on_s} and {z} {on_w}",
    ),
    "open": (
        "open {c}", "I want {c} open", "please open up {c}", "go to {c} and open it",
        "could you open {c} for me?", "{c} should be open", "make sure {c} is open",
        "leave {c} open", "pull {c} open", "get {c} open",
    ),
    "close": (
        "close {c}", "shut {c}", "I want {c} closed", "please close {c}", "go to {c} and shut it",
        "could you shut {c} for me?", "{c} should be closed", "make sure {c} is shut",
        "push {c} shut", "{c} was left open, close it",
    ),
    "go": (
        "walk to {p}", "go to {p}", "go over to {p}", "walk up to {p}", "stand before {p}",
        "I want you at {p}", "please walk over to {p}", "come to {p}", "move to {p}",
        "go and stand at {p}", "I will see you at {p}",
    ),
    "run": (
        "run to {p}", "run over to {p}", "go to {p} as fast as you can", "get to {p} running",
        "run until you are at {p}", "quick, run to {p}", "move fast, go to {p} at a run",
        "you must run to {p}", "please run up to {p}", "I want you to run to {p}",
    ),
    "sneak": (
        "sneak to {p}", "sneak over to {p} so that the guard does not see you",
        "go to {p} without being seen by the guard", "sneak past the guard to {p}",
        "move quietly to {p}, the guard must not hear you", "get to {p} unseen",
        "go low and quiet to {p}, past the guard", "the guard must not see you walk to {p}",
        "quietly now, sneak up to {p}", "walk to {p} in a crouch, there is a guard",
    ),
    "find": (
        "find {x}", "look for {x}", "where is {x}?", "I cannot see {x}, find it",
        "search for {x}", "go to where {x} is", "show me {x}", "I need to know where {x} is",
        "I lost {x}", "go and look where {x} is",
    ),
    "strike": (
        "knock over {d}{by}", "strike {d}{by}", "hit {d}{by}", "attack {d}{by}",
        "knock {d} down{by}", "bring {d} down{by}", "go to {d} and strike it{by}",
        "{d} must fall, strike it{by}", "I want you to hit {d}{by}", "fight {d}{by}",
        "walk up to {d} and knock it over{by}",
    ),
    "strike_by": (
        "{verb} {d}", "go to {d} and {verb} it", "I want you to {verb} {d}", "please {verb} {d}",
        "walk up to {d} and {verb} it", "{verb} {d} until it falls",
    ),
    "strike_avoid": (
        "strike {d} but keep out of the fire", "go round the fire pit and knock over {d}",
        "knock down {d} without stepping into the fire pit",
        "do not walk into the fire, strike {d}",
        "hit {d}, but stay away from the fire pit", "keep away from the fire and attack {d}",
        "walk round the fire pit, then strike {d}", "knock {d} down, mind the fire pit",
        "attack {d}, and do not step into the fire",
        "{d} must fall, but never walk through the fire",
    ),
    "block_strike": (
        "raise your shield before {d}, then strike it", "block at {d} and then knock it over",
        "go to {d}, block with the shield, then hit it", "first block at {d}, then strike it",
        "shield up at {d}, and then attack it", "block, then knock down {d}",
        "before you strike {d}, raise the shield there", "walk up to {d}, block, then attack",
        "hold the shield up at {d}, then knock it down", "block once before you hit {d}",
    ),
    "put_in": (
        "put {x} in {c}", "place {x} in {c}", "bring {x} to {c} and put it in", "{x} goes into {c}",
        "carry {x} to {c} and leave it inside", "take {x} and lay it in {c}", "I want {x} in {c}",
        "get {x} into {c}", "move {x} into {c}", "{x} belongs in {c}",
    ),
    "put_in_and_close": (
        "put {x} in {c} and close it", "place {x} in {c}, then shut it",
        "I want {x} in {c}, and {c} closed", "take {x} to {c}, leave it inside and shut the door",
        "lay {x} in {c} and make sure it is shut", "move {x} into {c}, then close {c}",
    ),
    "ordered": (
        "first {a}, then {b}", "{a}, and after that {b}", "{a}, then {b}", "{b}, but first {a}",
        "before you {b}, {a}", "{a}; when that is done, {b}", "start like this: {a}, next {b}",
        "{a} first and {b} second", "I want you to {a} and later to {b}", "{a}, and only then {b}",
    ),
}  # fmt: skip

#: what a blow is called, and the skills that are one
VERBS: Dict[str, Tuple[str, ...]] = {
    "slash": ("slash",), "stab": ("stab",), "kick": ("kick",), "bash": ("bash",),
}  # fmt: skip
#: with what, and the skills that do it
WEAPONS: Dict[str, Tuple[str, ...]] = {
    "": ("slash", "stab", "kick", "bash"), " with the sword": ("slash", "stab"),
    " with your sword": ("slash", "stab"), " with the shield": ("bash",),
    " with your shield": ("bash",), " with your foot": ("kick",),
    " without your sword": ("kick", "bash"),
}  # fmt: skip
#: requests that may be one of two in an order; the slots as above
CLAUSES: Dict[str, Tuple[str, ...]] = {
    "go": ("walk to {p}", "go to {p}"), "run": ("run to {p}",), "open": ("open {c}",),
    "close": ("close {c}", "shut {c}"), "strike": ("knock over {d}", "strike {d}"),
    "strike_by": ("{verb} {d}",), "block": ("raise your shield", "block with the shield"),
    "taunt": ("taunt your opponent",), "wait": ("wait a moment",),
    "jump": ("jump over the low wall",), "move": ("put {x} {on_y}", "bring {x} to {y}"),
}  # fmt: skip

#: half of the trained things are also named by what they look like or are for, in training
DESCRIBED: Dict[str, Tuple[str, ...]] = {
    "apple": ("the round red fruit", "the red fruit with a core"),
    "plum": ("the small purple fruit", "the purple fruit with a stone"),
    "loaf of bread": ("what the baker baked", "the long brown thing to cut into slices"),
    "cheese": ("the yellow wedge made of milk", "the thing that mice like to eat"),
    "egg": ("the tiny white thing that a hen laid", "what breakfast is fried from"),
    "bowl": ("the hollow thing to eat soup from", "the dish for soup"),
    "spoon": ("the thing to stir soup with", "the long metal thing to eat with"),
    "hammer": ("the tool for nails", "the heavy tool with a metal head"),
    "rope": ("the coiled thing to tie knots with", "the long brown coil"),
    "book": ("the thing with pages", "the thing to read stories from"),
    "bottle": ("the long green glass thing", "the thing with a cork"),
    "coin": ("the piece of money", "the flat yellow bit of metal"),
    "pillow": ("the soft thing to sleep on", "the big soft block of cloth"),
    "hat": ("the thing to wear on the head", "the black thing to wear"),
}
#: situations in which one of those is wanted, in training
SITUATIONS: Dict[str, Tuple[str, ...]] = {
    "apple": ("the horse would like a crunchy fruit",),
    "loaf of bread": ("there is nothing to put the butter on",),
    "spoon": ("the soup has to be stirred",),
    "hammer": ("a nail sticks out of the floor",),
    "rope": ("the boat must be tied to the post",),
    "book": ("I am bored and would like to read",),
    "coin": ("the beggar asks for money",),
    "pillow": ("my head hurts on the hard bed",),
    "hat": ("the sun burns on my head",),
    "egg": ("I am about to bake a cake and a hen could help",),
}
#: what is said after a situation
SITUATED: Tuple[str, ...] = (
    "{situation}: bring what helps to {y}", "{situation}, put the right thing {on_y}",
    "{situation}. Find what I need and leave it {on_y}",
)
