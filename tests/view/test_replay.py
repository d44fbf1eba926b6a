"""The page: it holds the motion exactly enough, and no text of a scenario can become code."""
from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re

import numpy as np
import pytest

from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError
from ppp.view.look import body_geoms
from ppp.view.pack import pack, unpack
from ppp.view.replay import SCRIPTS, embed, page, page_data, write_replay

from .synthetic import recording

EVIL = ("</script><script>alert(1)</script><img src=x onerror=alert(2)>$title ${data} "
        "\u2028 \ud800 \"'&")


def embedded(html):
    """The JSON block of a page."""
    block = re.search(r'<script type="application/json" id="ppp-data">(.*?)</script>', html, re.S)
    return json.loads(block.group(1))


def angle(a, b):
    """Angle between unit quaternions (…, 4), degrees; exact also for tiny angles."""
    a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return np.degrees(4 * np.arcsin(np.clip(chord / 2, 0, 1)))


@pytest.mark.parametrize("shift", [0.0, 250.0])
def test_the_motion_survives_packing(shift):
    film = recording(6.0)
    film = dataclasses.replace(film, body_pos=film.body_pos + np.float32(shift),
                               prop_pos=film.prop_pos + np.float32(shift))
    back = unpack(json.loads(json.dumps(pack(film))))
    for field in ("body_pos", "prop_pos"):
        assert np.abs(back[field] - getattr(film, field)).max() < 1e-3, field
    for field in ("body_rot", "prop_rot"):
        assert angle(back[field], getattr(film, field)).max() < 0.1, field


def test_props_that_stand_still_cost_nothing():
    packed = pack(recording(2.0))
    assert packed["moving"] == [1] and len(packed["still"]) == 2


def test_thirty_seconds_are_a_few_hundred_kilobytes():
    assert len(page(recording(30.0))) < 500_000


def test_the_page_holds_everything(tmp_path):
    film = recording(3.0)
    file = write_replay(film, tmp_path / "deep" / "replay.html")
    data = embedded(file.read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(page_data(film)))
    assert data["instruction"] == film.instruction and data["success"] is True
    assert [s["skill"] for s in data["steps"]] == ["walk_forward", "run", "slash"]
    assert [c["passed"] for c in data["checks"]] == [True] * 3
    assert len(data["bodies"]) == 17 and len(data["props"]) == 2 and len(data["markers"]) == 1
    assert [p.name for p in file.parent.iterdir()] == ["replay.html"]


def test_text_is_never_code():
    film = recording(1.0)
    hostile = dataclasses.replace(
        film, name=EVIL, instruction=EVIL, steps=[dict(film.steps[0], command=EVIL, ended=EVIL)],
        checks=[{"check": EVIL, "passed": False, "detail": EVIL}],
        scene=Scene((Prop(EVIL, "obstacle", (3, 0)), Prop(EVIL, "target", (6, 0)))))
    html = page(hostile)
    html.encode("utf-8")
    assert embedded(html)["instruction"] == EVIL and embedded(html)["steps"][0]["command"] == EVIL
    assert html.count("<script") == page(film).count("<script") == 2
    assert "alert(1)</script>" not in html and "<img" not in html
    assert "onerror=alert(2)>" not in html
    assert "\u2028" not in html.split("<body>")[1]


def test_embedding_leaves_no_markup():
    assert not set("<>&\u2028") & set(embed({EVIL: [EVIL]}))
    assert json.loads(embed({EVIL: [EVIL]})) == {EVIL: [EVIL]}


def test_only_our_script_may_run_and_nothing_is_fetched():
    html = page(recording(1.0))
    script = re.search(r"<script>(.*?)</script>", html, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in html
    assert not re.search(r"https?:|src=|@import|url\(|innerHTML|eval\(|fetch\(", html)
    assert "$" not in html.split("<script")[0], "every placeholder is filled"
    assert len(SCRIPTS) == 4


def test_steps_that_were_never_run_and_odd_values():
    film = recording(1.0)
    odd = dataclasses.replace(film, steps=[{"command": "wait", "target": None, "start": None,
                                            "end": float("nan")}], checks=[], success=False)
    step = page_data(odd)["steps"][0]
    assert step["target"] is None and step["start"] == 0.0 and step["end"] == pytest.approx(1.0)
    page(odd)


def test_geoms_in_numbers_lie_where_the_model_has_them():
    mujoco = pytest.importorskip("mujoco")
    from ppp.view.stage import build_stage
    model = mujoco.MjModel.from_xml_string(build_stage(Scene(), (64, 64), 0))
    kinds = {int(mujoco.mjtGeom.mjGEOM_SPHERE): "sphere", int(mujoco.mjtGeom.mjGEOM_BOX): "box",
             int(mujoco.mjtGeom.mjGEOM_CAPSULE): "capsule",
             int(mujoco.mjtGeom.mjGEOM_CYLINDER): "cylinder"}
    place = 1
    for geom in (geom for geoms in body_geoms() for geom in geoms):
        assert geom.kind == kinds[int(model.geom_type[place])]
        assert np.allclose(model.geom_size[place][:len(geom.size)], geom.size, atol=1e-6)
        assert np.allclose(model.geom_pos[place], geom.pos, atol=1e-6)
        axis = [rotated_z(q) for q in (model.geom_quat[place], geom.rot)]
        assert abs(np.dot(*axis)) > 1 - 1e-6
        place += 1


def rotated_z(quat):
    w, x, y, z = quat
    return np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])


def test_a_page_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PPPError, match="cannot be written"):
        write_replay(recording(1.0), tmp_path / "file" / "replay.html")
