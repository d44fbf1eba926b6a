"""Isaac Gym refuses to be imported after torch; so does this, but where a test says otherwise."""
import os
import sys

if "torch" in sys.modules and not os.environ.get("ISAACGYM_STUB_AFTER_TORCH"):
    raise ImportError("PyTorch was imported before isaacgym modules.  Please import torch after "
                      "isaacgym modules.")
