"""One door for all formats: by a file's ending, and for ``.npz`` and ``.txt`` by what is in it."""
from __future__ import annotations

from pathlib import Path
from typing import Optional, Union

from ppp.errors import PPPError
from ppp.motion.clip import Clip, load_clip
from ppp.motion.formats.skeleton_motion import SkeletonMotion

#: endings that can be imported, in the order that a folder is read
ENDINGS = (".npz", ".npy", ".bvh", ".amc", ".txt", ".pkl")


def read_motion(path: Path, skeleton: Optional[Path] = None, fps: Optional[float] = None
                ) -> Union[Clip, SkeletonMotion]:
    """A clip, where the file's body is ours, else a motion that has to be retargeted.

    skeleton: the ``.asf`` of an ``.amc``; fps: the rate of a file that does not tell its own.
    """
    ending = path.suffix.lower()
    for flag, given in (("--skeleton", skeleton), ("--fps", fps)):
        if given is not None and ending in ENDINGS and ending != ".amc":
            raise PPPError(f"{path}: {flag} is for .amc files; this file tells it itself, so leave "
                           "the option out")
    if ending == ".npy":
        from ppp.motion.formats.poselib import load_poselib

        return load_poselib(path)
    if ending == ".pkl":
        from ppp.motion.formats.mimickit import load_mimickit

        return load_mimickit(path)
    if ending == ".bvh":
        from ppp.motion.formats.bvh import load_bvh

        return load_bvh(path)
    if ending == ".amc":
        from ppp.motion.formats.cmu import load_cmu

        return load_cmu(path, skeleton, fps)
    if ending == ".txt":
        from ppp.motion.formats.deepmimic import load_deepmimic

        return load_deepmimic(path)
    if ending == ".npz":
        from ppp.motion.formats.smpl import is_smpl, load_npz_arrays, load_smpl

        return load_smpl(path) if is_smpl(load_npz_arrays(path)) else load_clip(path)
    raise PPPError(f"{path}: unknown kind of file; a motion is one of {', '.join(ENDINGS)} (an "
                   ".asf is the skeleton of an .amc)")
