"""A scenario file is data from outside: whatever is in it, one sentence comes back, soon, and
nothing is executed."""
from __future__ import annotations

import os
import time

import pytest

import ppp.plan
from ppp.errors import run_entry

SOUND = "name: t\ninstruction: go\nsuccess: [{reached: [1, 1]}]\n"
MANY = "".join(f"- {{name: o{i}, kind: target, position: [1, 2]}}\n" for i in range(10000))


def order(depth):
    """``in_order`` in ``in_order``, so many times."""
    return "{in_order: [{reached: [1, 1]}, " * depth + "{reached: [1, 1]}" + "]}" * depth


HOSTILE = {
    # name: (file, what the sentence says)
    "billion laughs": (
        "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(30)), "aliases",
    ),
    "itself": ("&a [*a]", "aliases"),
    "python": (SOUND + "robot: !!python/object/apply:os.system ['touch {mark}']\n", "constructor"),
    "python name": (SOUND + "robot: !!python/name:os.getcwd\n", "constructor"),
    "10 MB": ("#" * 10_000_000, "larger than 64 KiB"),
    "10,000 objects": (SOUND + "objects:\n" + MANY, "larger than 64 KiB"),
    "10,000 small objects": (
        SOUND + "objects: [" + "{}," * 10000 + "]", "objects: has too many entries: shorten it to",
    ),
    "many in order": (
        SOUND.replace("{reached: [1, 1]}", "{in_order: [" + "{reached: [1, 1]}," * 99 + "]}"),
        "in_order: has 99 checks: shorten it to 32",
    ),
    "deep order": (
        SOUND.replace("{reached: [1, 1]}", order(80)),
        "success[0]: in_order[1]: an order has no place in an order",
    ),
    "deep lists": ("[" * 6000, "nested too deeply"),
    "deep mappings": ("{a: " * 15000, "nested too deeply"),
    "deep dashes": ("- " * 32000, "nested too deeply"),
    "digits": (SOUND + "time_limit: " + "9" * 60000, "holds a number or a date that cannot"),
    "hexadecimal": (SOUND + "time_limit: 0x" + "f" * 60000, "time_limit: must be a number from 1"),
    "base 60": (SOUND + "time_limit: 1" + ":1" * 30000, "time_limit: must be a number from 1"),
    "infinite": (SOUND + "start: {position: [1.0e+999, 0]}", "start.position[0]: must be a number"),
    "not a number": (SOUND + "start: {heading: .nan}", "start.heading: must be a number"),
    "text for a number": (SOUND + "time_limit: '40'", "from 1 to 600 s, not the text 40"),
    "no such day": (SOUND + "robot: 2020-13-45", "month must be in 1..12): correct it"),
    "bytes": (SOUND + "robot: !!binary aGVsbG8=", "robot: must be text"),
    "a list as a key": (SOUND + "? [a]\n: b", "a list or a mapping stands where a field's name"),
    "a mapping as a key": (SOUND + "? {a: 1}\n: b", "a list or a mapping stands where a field"),
    "no key": (SOUND + "~: 1", "unknown field 'None'"),
    "long tag": ("!" + "a" * 60000 + " x", "could not determine a constructor"),
    "long name": (SOUND.replace("t\n", "t" * 60000 + "\n", 1), "shorten it to 60"),
    "unknown field": (SOUND + "z" * 900 + ": 1", "unknown field 'zzz"),
    "line break in a name": (SOUND.replace("name: t", 'name: "a\\nb"'), "name: holds a line break"),
    "hidden letters": (SOUND.replace("name: t", 'name: "a\\u202eb"'), "a control character"),
    "half a letter": (SOUND.replace("name: t", 'name: "a\\ud800b"'), "a control character"),
    "terminal codes": ("name: \x1b[31m", "not valid YAML"),
    "NUL": ("name: a\0b", "not valid YAML"),
    "two documents": (SOUND + "---\n" + SOUND, "another document"),
    "UTF-16": (SOUND.encode("utf-16"), "not UTF-8"),
    "Latin-1": (SOUND.replace("go", "gehe über").encode("latin-1"), "not UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_gets_one_sentence_and_nothing_else(what, tmp_path, capsys):
    text, told = HOSTILE[what]
    mark, path = tmp_path / "executed", tmp_path / "x.yaml"
    text = text.replace("{mark}", str(mark)) if isinstance(text, str) else text
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    begun = time.process_time()
    status = run_entry(lambda: ppp.plan.main([str(path), "--performer", "kinematic"]))
    assert time.process_time() - begun < 2.5
    out, error = capsys.readouterr()
    assert status == 2 and out == ""
    assert error.startswith(f"error: {path}:") and error.count("\n") == 1
    assert told in error and len(error) < 400 + len(str(path))
    assert error.strip().isprintable()
    assert not mark.exists() and os.listdir(tmp_path) == ["x.yaml"]


def test_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path):
    from ppp.planning.scenario import load_scenario

    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode())
    assert load_scenario(path).name == "t"
