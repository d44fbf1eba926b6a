"""What a motion file shows, guessed from its name: to lay like beside like."""
from __future__ import annotations

import re

#: skill id -> words in a file's name (lower case, only letters and digits), first match counts
_WORDS = (
    ("get_up", "getup|standup|risefrom"),
    ("turn_left", "turnleft|spinleft"),
    ("turn_right", "turnright|spinright"),
    ("kick", "kick"),
    ("shield_bash", "shieldcharge|shieldswipe|shieldbash|bash"),
    ("taunt", "taunt|roar|cheer|victory"),
    ("dodge_back", "dodgebackward|dodgeback|backstep"),
    ("dodge_side", "dodg"),
    ("fall", "fall|death|dying"),
    ("stab", "stab|thrust|lunge"),
    ("block", "block|parry|guard"),
    ("slash", "slash|combo|atk|attack|swing|sword|counter|strike"),
    ("jump", "jump|leap|hop"),
    # WalkForward02 of ASE's and CALM's clips goes with bent knees
    ("crouch_walk", "crouchwalk|walkcrouch|sneak|walkforward02"),
    ("run_other", "runback|runleft|runright"),
    ("run", "run|jog|sprint"),
    ("walk_backward", "walkback"),
    ("strafe_left", "walkleft|strafeleft|sidestepleft"),
    ("strafe_right", "walkright|straferight|sidestepright"),
    ("walk_forward", "walk"),
    ("idle", "idle|stand|ready|breath"),
)
OTHER = "other"


def kind_of(name: str) -> str:
    """A skill id (or a kind that no skill has: fall, dodge_side, run_other, other) for a name."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for kind, words in _WORDS:
        if re.search(words, plain):
            return kind
    return OTHER
