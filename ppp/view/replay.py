"""One self-contained web page to watch a performance: no server, no network, no other file.

Every text of the scenario or of a model's reply is data on the page: it sits escaped in a JSON
block, the script writes it as text, and a content security policy admits only our own script.
"""
from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from string import Template
from typing import Any, Dict, List, Union

import numpy as np

from ppp.engines.scene import Prop
from ppp.outputs import write_html
from ppp.planning.recording import Recording
from ppp.view.camera import KNOT, plan_camera
from ppp.view.look import GOAL_COLOUR, GOAL_RADIUS, MARKER_RADIUS, Geom, body_geoms, prop_colour
from ppp.view.pack import pack
from ppp.view.poses import check, duration, number, step_target

#: the page's script, in this order
SCRIPTS = ("replay_math.js", "replay_gl.js", "replay_2d.js", "replay_page.js")
_HERE = Path(__file__).parent


def write_replay(recording: Recording, path: Union[str, Path]) -> Path:
    """Write the performance as one HTML file; returns its path.

    Raises PPPError for a recording that cannot be shown and a path that cannot be written; a file
    already there is replaced only when the new one is complete.
    """
    return write_html(page(recording), path)


def page(recording: Recording) -> str:
    """The page as HTML text."""
    script = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f"\"use strict\";\n(() => {{\n{script}\n}})();\n"
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    template = Template((_HERE / "replay.html").read_text(encoding="utf-8"))
    name = str(recording.name).encode("utf-8", "replace").decode("utf-8")
    return template.substitute(
        title=html.escape(f"{name} – PPP"), script=script,
        script_hash=f"'sha256-{digest}'", data=embed(page_data(check(recording))))


def embed(data: Any) -> str:
    """JSON that is inert inside a script element: no ``<``, ``>`` or ``&`` is left in it."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_data(recording: Recording) -> Dict[str, Any]:
    """All that the page shows, JSON-ready."""
    return {
        "name": str(recording.name), "instruction": str(recording.instruction),
        "success": bool(recording.success), "seconds": duration(recording),
        "steps": [_step(step, duration(recording)) for step in recording.steps],
        "checks": [{"check": str(c.get("check", "")), "passed": bool(c.get("passed")),
                    "detail": str(c.get("detail") or "")} for c in recording.checks],
        "bodies": [[_geom(geom) for geom in geoms] for geoms in body_geoms()],
        "props": [_box(prop) for prop in recording.scene.bodies],
        "markers": [{"name": prop.name, "position": _round(prop.position),
                     "radius": MARKER_RADIUS, "colour": _round(prop_colour(prop))}
                    for prop in recording.scene.props if prop.kind == "marker"],
        "goal": {"radius": GOAL_RADIUS, "colour": _round(GOAL_COLOUR)},
        "camera": _camera(recording), "motion": pack(recording),
    }


def _camera(recording: Recording) -> Dict[str, Any]:
    """The film's directions of view, one every ``every`` s, a little farther away. Degrees, m."""
    shots = plan_camera(recording, np.arange(0.0, duration(recording) + KNOT, KNOT))
    return {"azimuths": [round(float(v), 1) for v in shots.azimuth], "every": KNOT,
            "elevation": shots.elevation - 3.0,
            "distance": round(float(shots.distance.max()) + 0.8, 2)}


def _step(step: Dict[str, Any], length: float) -> Dict[str, Any]:
    target = step_target(step)
    return {"command": str(step.get("command") or ""), "skill": str(step.get("skill") or ""),
            "target": None if target is None else _round(target),
            "start": number(step.get("start")), "end": number(step.get("end"), length),
            "ended": str(step.get("ended") or "")}


def _geom(geom: Geom) -> Dict[str, Any]:
    return {"kind": geom.kind, "size": _round(geom.size), "pos": _round(geom.pos),
            "rot": _round(geom.rot), "colour": _round(geom.colour)}


def _box(prop: Prop) -> Dict[str, Any]:
    shape = Geom("box", tuple(0.5 * v for v in prop.size), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0),
                 prop_colour(prop))
    return dict(_geom(shape), name=prop.name, height=_round(prop.size)[2])


def _round(values: Any) -> List[float]:
    return [round(float(v), 5) for v in values]
