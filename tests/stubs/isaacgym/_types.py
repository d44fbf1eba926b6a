"""The structures of gymapi that PPP uses, and what the stub knows of an asset."""
import copy
import xml.etree.ElementTree as ET

import mujoco
import numpy as np

SIM_PHYSX, SIM_FLEX = 0, 1
UP_AXIS_Y, UP_AXIS_Z = 0, 1
DOF_MODE_NONE, DOF_MODE_POS, DOF_MODE_VEL, DOF_MODE_EFFORT = 0, 1, 2, 3
DTYPE_FLOAT32, DTYPE_UINT32, DTYPE_UINT64 = 0, 1, 2
ENV_SPACE = 0

#: the dtype of get_asset_dof_properties
DOF_PROPERTIES = np.dtype([
    ("hasLimits", "?"), ("lower", "f4"), ("upper", "f4"), ("driveMode", "i4"), ("velocity", "f4"),
    ("effort", "f4"), ("stiffness", "f4"), ("damping", "f4"), ("friction", "f4"),
    ("armature", "f4")])


class Misuse(Exception):
    """A call that Isaac Gym would not survive, or would answer with wrong numbers."""


class _Strict:
    """Only fields that exist can be set, as in the compiled module."""

    def __setattr__(self, name, value):
        if name not in type(self).FIELDS:
            raise AttributeError(f"{type(self).__name__} has no field {name}")
        object.__setattr__(self, name, value)

    def copy(self):
        return copy.copy(self)


class Vec3(_Strict):
    FIELDS = ("x", "y", "z")

    def __init__(self, x=0.0, y=0.0, z=0.0):
        self.x, self.y, self.z = x, y, z


class Quat(_Strict):
    FIELDS = ("x", "y", "z", "w")

    def __init__(self, x=0.0, y=0.0, z=0.0, w=1.0):
        self.x, self.y, self.z, self.w = x, y, z, w


class Transform(_Strict):
    FIELDS = ("p", "r")

    def __init__(self, p=None, r=None):
        self.p, self.r = p or Vec3(), r or Quat()


class PhysXParams(_Strict):
    FIELDS = ("always_use_articulations", "bounce_threshold_velocity", "contact_collection",
              "contact_offset", "default_buffer_size_multiplier", "friction_correlation_distance",
              "friction_offset_threshold", "max_depenetration_velocity", "max_gpu_contact_pairs",
              "num_position_iterations", "num_subscenes", "num_threads", "num_velocity_iterations",
              "rest_offset", "solver_type", "use_gpu")


class SimParams(_Strict):
    FIELDS = ("dt", "enable_actor_creation_warning", "flex", "gravity", "num_client_threads",
              "physx", "stress_visualization", "substeps", "up_axis", "use_gpu_pipeline")

    def __init__(self):
        self.dt, self.substeps, self.up_axis = 1.0 / 60.0, 2, UP_AXIS_Y
        self.gravity, self.physx = Vec3(0.0, -9.8, 0.0), PhysXParams()
        self.use_gpu_pipeline = False


class PlaneParams(_Strict):
    FIELDS = ("distance", "dynamic_friction", "normal", "restitution", "segmentation_id",
              "static_friction")


class AssetOptions(_Strict):
    FIELDS = ("angular_damping", "armature", "collapse_fixed_joints", "default_dof_drive_mode",
              "density", "disable_gravity", "fix_base_link", "flip_visual_attachments",
              "linear_damping", "max_angular_velocity", "max_linear_velocity", "override_com",
              "override_inertia", "replace_cylinder_with_capsule", "thickness")

    def __init__(self):
        self.fix_base_link, self.density = False, 1000.0


class RigidShapeProperties(_Strict):
    FIELDS = ("compliance", "contact_offset", "filter", "friction", "rest_offset", "restitution",
              "rolling_friction", "thickness", "torsion_friction")

    def __init__(self):
        self.filter, self.friction, self.restitution = 0, 1.0, 0.0


class RigidBodyProperties(_Strict):
    FIELDS = ("com", "flags", "inertia", "invInertia", "invMass", "mass")

    def __init__(self, mass, com):
        self.mass, self.com = float(mass), Vec3(*(float(v) for v in com))


class IndexRange:
    def __init__(self, start, count):
        self.start, self.count = start, count


class Tensor:
    """A descriptor: of a buffer that the simulation owns, or of a torch tensor's address."""

    def __init__(self):
        self.owned = self.alive = None
        self.own_data = True
        self.dtype, self.device, self.shape, self.data_address = DTYPE_FLOAT32, -1, [], 0


class Asset:
    """What an importer makes of a file. ``shuffle`` (set by tests) changes the order it keeps."""

    shuffle = None

    def __init__(self, spec, body_names, dof_names, options):
        self.spec, self.options = spec, options
        self.body_names, self.dof_names = body_names, dof_names
        self.model = spec.compile() if isinstance(spec, mujoco.MjSpec) else None

    @classmethod
    def from_mjcf(cls, text, options):
        """Merge three hinges about x, y, z into a ball joint; one root body, primitives only."""
        root = ET.fromstring(text)
        world = root.find("worldbody")
        if len(world.findall("body")) != 1:
            raise Misuse("the importer takes a world with one body")
        dofs = []
        for body in world.iter("body"):
            dofs += _merge_hinges(body)
        for actuator in root.findall("actuator"):
            root.remove(actuator)
        bodies = [body.get("name") for body in world.iter("body")]
        if cls.shuffle is not None:
            bodies, dofs = [bodies[0], *cls.shuffle(bodies[1:])], cls.shuffle(dofs)
        spec = mujoco.MjSpec.from_string(ET.tostring(root, encoding="unicode"))
        return cls(spec, bodies, dofs, options)

    @classmethod
    def box(cls, size, options):
        return cls(size, ["box"], [], options)

    @property
    def shape_counts(self):
        if self.model is None:
            return [1]
        return [int(self.model.body(name).geomnum[0]) for name in self.body_names]

    def body_properties(self):
        bodies = [self.model.body(name) for name in self.body_names]
        return [RigidBodyProperties(body.mass[0], body.ipos) for body in bodies]

    def dof_properties(self):
        return np.zeros(len(self.dof_names), DOF_PROPERTIES)


def _merge_hinges(body):
    joints = body.findall("joint")
    names = [joint.get("name") for joint in joints]
    if len(joints) == 3:
        if [joint.get("axis") for joint in joints] != ["1 0 0", "0 1 0", "0 0 1"]:
            raise Misuse("three hinges become a ball joint about x, y and z only")
        for joint in joints:
            body.remove(joint)
        # named by its three, so that the world finds it again
        ET.SubElement(body, "joint", name="|".join(names), type="ball",
                      armature=joints[0].get("armature"))
    return names
