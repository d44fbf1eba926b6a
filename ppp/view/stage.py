"""The scene as MuJoCo draws it: a model of its own, whose bodies are put where the recording says.

It holds 17 + P + 1 mocap bodies (humanoid, props, the goal disc), so the picture does not depend on
the engine that simulated. Shadows are the shapes themselves, flattened onto the floor along the
sun's rays: in software that costs a tenth of MuJoCo's shadow map, and their edges are sharp.
"""
from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any, Iterable, Optional, Tuple

import numpy as np

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODIES, NUM_BODIES
from ppp.view.gl import open_context
from ppp.view.look import DISC_HEIGHT, GOAL_COLOUR, GOAL_RADIUS, MARKER_RADIUS, drawn, prop_colour
from ppp.view.poses import Pose

FIELD_OF_VIEW = 40.0  # degrees, vertical
_SUN = np.array([-0.45, -0.55, 1.0])  # towards the sun
_SHADOW = (0.36, 0.38, 0.41, 1.0)
_SHADOW_HEIGHT = 0.003  # m above the floor
_HORIZON, _ZENITH = ".86 .89 .92", ".46 .60 .76"


def build_stage(scene: Scene, size: Tuple[int, int], samples: int) -> str:
    """The visual model as an MJCF document, for images of up to size = (width, height) pixels.

    Mocap bodies in order: the 17 bodies, the props with a body, the goal disc.
    """
    root = ET.Element("mujoco", model="ppp_stage")
    _add_settings(root, size, samples)
    world = ET.SubElement(root, "worldbody")
    ET.SubElement(world, "geom", type="plane", size="0 0 1", material="floor")
    for body in BODIES:
        element = ET.SubElement(world, "body", mocap="true")
        for attributes, rgba in drawn(body.name):
            shape = {k: v for k, v in attributes.items() if k != "density"}
            ET.SubElement(element, "geom", rgba=rgba, material="body", **shape)
    for prop in scene.bodies:
        element = ET.SubElement(world, "body", mocap="true")
        ET.SubElement(element, "geom", type="box", size=_text(0.5 * v for v in prop.size),
                      rgba=_text(prop_colour(prop) + (1.0,)), material="body")
    for prop in scene.props:
        if prop.kind == "marker":
            _add_disc(world, MARKER_RADIUS, prop_colour(prop), prop.position)
    _add_disc(ET.SubElement(world, "body", mocap="true"), GOAL_RADIUS, GOAL_COLOUR, (0, 0))
    ET.SubElement(world, "light", directional="true", castshadow="false", dir=_text(-_SUN),
                  diffuse=".62 .60 .55", specular=".2 .2 .2", ambient="0 0 0")
    return ET.tostring(root, encoding="unicode")


def _add_settings(root: ET.Element, size: Tuple[int, int], samples: int) -> None:
    ET.SubElement(root, "statistic", extent="1", center="0 0 1")
    visual = ET.SubElement(root, "visual")
    ET.SubElement(visual, "global", offwidth=str(size[0]), offheight=str(size[1]),
                  fovy=f"{FIELD_OF_VIEW:g}")
    ET.SubElement(visual, "quality", shadowsize="0", offsamples=str(samples),
                  numslices="24", numstacks="12", numquads="1")
    ET.SubElement(visual, "map", znear=".1", zfar="70")
    ET.SubElement(visual, "headlight", ambient=".40 .41 .44", diffuse=".34 .34 .34",
                  specular="0 0 0")
    ET.SubElement(visual, "rgba", fog=_HORIZON + " 1", haze=_HORIZON + " 1")
    asset = ET.SubElement(root, "asset")
    ET.SubElement(asset, "texture", type="skybox", builtin="gradient", rgb1=_HORIZON,
                  rgb2=_ZENITH, width="64", height="384")
    ET.SubElement(asset, "texture", name="floor", type="2d", builtin="checker", width="256",
                  height="256", rgb1=".66 .69 .71", rgb2=".61 .64 .665", mark="edge",
                  markrgb=".76 .78 .79")
    ET.SubElement(asset, "material", name="floor", texture="floor", texuniform="true",
                  texrepeat=".5 .5", specular="0", reflectance="0")
    ET.SubElement(asset, "material", name="body", specular=".25", shininess=".4")


def _add_disc(parent: ET.Element, radius: float, colour: Tuple[float, ...],
              position: Iterable[float]) -> None:
    x, y = position
    ET.SubElement(parent, "geom", type="cylinder", size=_text((radius, 0.5 * DISC_HEIGHT)),
                  pos=_text((x, y, 0.5 * DISC_HEIGHT)), rgba=_text(tuple(colour) + (1.0,)),
                  material="body")


def _text(values: Iterable[float]) -> str:
    return " ".join(f"{float(v):.6g}" for v in values)


def import_mujoco() -> Any:
    """The mujoco module; PPPError with the mend where it is not installed."""
    try:
        import mujoco
    except ImportError as error:
        raise PPPError("drawing needs the mujoco package: `pip install mujoco`, "
                       "or go without a video") from error
    return mujoco


class Stage:
    """Draws poses of one scene off-screen. Use as a context manager.

    size: (width, height) pixels. samples: of antialiasing, 0 for none (much faster in software).
    Raises PPPError when there is no OpenGL.
    """

    def __init__(self, scene: Scene, size: Tuple[int, int], samples: int = 4) -> None:
        self._mujoco = mujoco = import_mujoco()
        self.size = size
        self._model = mujoco.MjModel.from_xml_string(build_stage(scene, size, samples))
        self._data = mujoco.MjData(self._model)
        self._gl = open_context(*size)
        self._scene = mujoco.MjvScene(self._model, maxgeom=2 * self._model.ngeom + 50)
        for flag in (mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_SHADOW):
            self._scene.flags[flag] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_HAZE] = 1
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        bodies = np.arange(1, 1 + NUM_BODIES + len(scene.bodies))
        self._casters = np.flatnonzero(np.isin(self._model.geom_bodyid, bodies))
        self._pixels = np.empty((size[1], size[0], 3), dtype=np.uint8)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the OpenGL resources."""
        self._gl.make_current()
        self._context.free()
        self._gl.close()

    def draw(self, pose: Pose, look_at: np.ndarray, distance: float, azimuth: float,
             elevation: float, goal: Optional[Tuple[float, float]] = None) -> np.ndarray:
        """One image (height, width, 3) uint8, a view into a buffer that the next call overwrites.

        look_at (3,) m, world frame; distance m; azimuth and elevation degrees; goal: (x, y) m of
        the disc on the floor, None hides it.
        """
        mujoco = self._mujoco
        self._place(pose, goal)
        camera = mujoco.MjvCamera()
        camera.lookat[:] = look_at
        camera.distance, camera.azimuth, camera.elevation = distance, azimuth, elevation
        self._gl.make_current()
        mujoco.mjv_updateScene(self._model, self._data, mujoco.MjvOption(), None, camera,
                               mujoco.mjtCatBit.mjCAT_ALL.value, self._scene)
        self._cast_shadows()
        rect = mujoco.MjrRect(0, 0, *self.size)
        mujoco.mjr_render(rect, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, rect, self._context)
        return self._pixels[::-1]

    def _place(self, pose: Pose, goal: Optional[Tuple[float, float]]) -> None:
        data, props = self._data, len(pose.prop_pos)
        data.mocap_pos[:NUM_BODIES], data.mocap_quat[:NUM_BODIES] = pose.body_pos, pose.body_rot
        data.mocap_pos[NUM_BODIES:NUM_BODIES + props] = pose.prop_pos
        data.mocap_quat[NUM_BODIES:NUM_BODIES + props] = pose.prop_rot
        data.mocap_pos[-1] = (0.0, 0.0, -5.0) if goal is None else (goal[0], goal[1], 0.002)
        self._mujoco.mj_kinematics(self._model, data)
        self._mujoco.mj_camlight(self._model, data)

    def _cast_shadows(self) -> None:
        """Add every caster once more to the drawn scene, flattened onto the floor."""
        mujoco, model, scene = self._mujoco, self._model, self._scene
        # Not quite flat, so that its normals still point up and it is lit like the floor.
        flatten = np.array([[1, 0, -_SUN[0] / _SUN[2]], [0, 1, -_SUN[1] / _SUN[2]], [0, 0, 1e-4]])
        places = self._data.geom_xpos[self._casters] @ flatten.T + [0, 0, _SHADOW_HEIGHT]
        turns = flatten @ self._data.geom_xmat[self._casters].reshape(-1, 3, 3)
        for geom, place, turn in zip(self._casters, places, turns):
            drawn_geom = scene.geoms[scene.ngeom]
            mujoco.mjv_initGeom(drawn_geom, model.geom_type[geom], model.geom_size[geom], place,
                                turn.ravel(), np.array(_SHADOW, dtype=np.float32))
            drawn_geom.specular = 0.0
            scene.ngeom += 1
