"""The scene in the browser: mjviser shows the same visual model that films are drawn from."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import mujoco
import numpy as np

from ppp.engines.scene import Scene
from ppp.humanoid.skeleton import NUM_BODIES
from ppp.planning.performer import Poses
from ppp.play.views import View
from ppp.view.stage import build_stage

#: the frames under which everything lies; moved per visitor, they make a camera that follows
ROOTS = ("/bodies", "/fixed_bodies", "/names")
#: where the eye stands around what it looks at: direction (degrees, 0 ahead of the start), height
#: above the floor and distance, m
CAMERAS: Dict[str, Tuple[float, float, float]] = {
    "from behind": (-145.0, 2.3, 5.0), "from the side": (-80.0, 1.7, 4.6),
    "from the front": (0.0, 1.5, 4.0), "from above": (180.5, 9.0, 1.2),
    "whole scene": (-120.0, 5.0, 8.0),
}
#: m above the floor; lower on a narrow screen, whose lower half the panel covers
_LOOK_AT, _LOOK_AT_NARROW = 0.8, -0.9
_ABOVE = 0.12  # m between a prop and its name
_FIELD_OF_VIEW = 0.85  # rad, vertical
#: pixels of a wide window that the panel covers on the right
_PANEL = 320


def half_height(size: Sequence[float], rot: Sequence[float]) -> float:
    """How far a box of ``size`` (3,) m reaches above its centre when turned by w, x, y, z."""
    w, x, y, z = (float(v) for v in rot)
    up = (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y))
    return 0.5 * sum(abs(u) * s for u, s in zip(up, size))


class SceneView:
    """Shows poses to everybody. server: a viser server."""

    def __init__(self, server: Any, scene: Scene) -> None:
        from mjviser import ViserMujocoScene

        self.scene = scene
        self._model = _plain_model(scene)
        self._data = mujoco.MjData(self._model)
        self._shown = ViserMujocoScene(server, self._model, 1)
        self._shown.camera_tracking_enabled = False
        server.scene.configure_environment_map("warehouse", environment_intensity=0.35)
        server.scene.configure_default_lights(True, cast_shadow=True)
        server.scene.world_axes.visible = False
        self._names = self._add_names(server)
        self._last: Optional[List[np.ndarray]] = None

    def _add_names(self, server: Any) -> Dict[str, Any]:
        """Every prop's name over it."""
        server.scene.add_frame("/names", show_axes=False)
        names = {}
        for i, prop in enumerate(self.scene.props):
            x, y = prop.position
            top = 0.0 if prop.kind == "marker" else prop.size[2]
            names[prop.name] = server.scene.add_label(
                f"/names/{i}", prop.name, position=(x, y, top + _ABOVE), anchor="bottom-center",
                font_screen_scale=0.8)
        return names

    def show(self, view: View) -> None:
        """Put everything where it is now; nothing is sent where nothing moved."""
        pose, goal = view.pose, view.target.xy if view.target else view.goal
        shown = [*pose, np.array(goal if view.target or view.busy else (np.nan, np.nan))]
        if self._last is not None and all(np.array_equal(a, b, equal_nan=True)
                                          for a, b in zip(shown, self._last)):
            return
        self._last = shown
        self._place(pose, shown[-1])
        self._shown.update_from_mjdata(self._data)
        for i, prop in enumerate(self.scene.bodies):
            x, y, z = pose.prop_pos[i]
            top = z + half_height(prop.size, pose.prop_rot[i])
            self._names[prop.name].position = (x, y, top + _ABOVE)

    def _place(self, pose: Poses, goal: np.ndarray) -> None:
        data, props = self._data, len(pose.prop_pos)
        data.mocap_pos[:NUM_BODIES], data.mocap_quat[:NUM_BODIES] = pose.body_pos, pose.body_rot
        data.mocap_pos[NUM_BODIES:NUM_BODIES + props] = pose.prop_pos
        data.mocap_quat[NUM_BODIES:NUM_BODIES + props] = pose.prop_rot
        data.mocap_pos[-1] = (*goal, 0.006) if np.isfinite(goal).all() else (0.0, 0.0, -5.0)
        mujoco.mj_kinematics(self._model, data)


def _plain_model(scene: Scene) -> mujoco.MjModel:
    """The visual model without materials, which mjviser would show instead of the colours."""
    spec = mujoco.MjSpec.from_string(build_stage(scene, (640, 480), 0))
    for geom in spec.geoms:
        geom.material = ""
    return spec.compile()


class Eye:
    """One visitor's camera. It follows by moving the world under a camera that stays, so that the
    visitor can turn and zoom all the while."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._roots = [client.scene.add_frame(name, show_axes=False) for name in ROOTS]
        self.follows = True
        self.offset = np.zeros(2)  # what is shown at (x, y) is at (x, y) + offset, m

    def look(self, name: str, at: Tuple[float, float], heading: float = 0.0) -> None:
        """Go to one of CAMERAS, around the point ``at`` (m, world frame)."""
        azimuth, height, distance = CAMERAS[name]
        angle = np.radians(azimuth) + heading
        here = np.zeros(2) if self.follows else np.asarray(at)
        camera = self._client.camera
        away = np.array([np.cos(angle), np.sin(angle)])
        narrow = camera.image_width < camera.image_height
        if narrow:
            distance *= 1.5
        else:  # the middle is that of what the panel leaves free
            pixel = 2.0 * distance * np.tan(0.5 * _FIELD_OF_VIEW) / camera.image_height
            here = here + 0.5 * _PANEL * pixel * np.array([-away[1], away[0]])
        camera.fov = _FIELD_OF_VIEW
        camera.up_direction = (0.0, 0.0, 1.0)
        camera.position = (*(here + distance * away), height)
        camera.look_at = (*here, _LOOK_AT_NARROW if narrow else _LOOK_AT)

    def follow(self, at: Tuple[float, float], share: float = 0.15) -> None:
        """Bring the view nearer to ``at`` (m) by a share of the way, or leave it in the world."""
        if not self.follows:
            return
        moved = self.offset + share * (np.asarray(at) - self.offset)
        if np.abs(moved - self.offset).max() > 1e-4:
            self.set_offset(moved)

    def set_offset(self, offset: np.ndarray) -> None:
        """Show the world point ``offset`` (2,) m at the origin."""
        self.offset = np.asarray(offset, dtype=float)
        for root in self._roots:
            root.position = (-self.offset[0], -self.offset[1], 0.0)

    def ray(self, origin: Tuple[float, ...]) -> Tuple[float, ...]:
        """The start of a click's ray in the world frame, m."""
        return (origin[0] + float(self.offset[0]), origin[1] + float(self.offset[1]), origin[2])
