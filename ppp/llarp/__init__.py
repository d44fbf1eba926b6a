"""LLaRP: a policy on a frozen language model (Szot et al., ICLR 2024, arXiv 2310.17722).

Instruction tokens, then one learned token an observation, through a frozen backbone; a decoder
turns the state at each observation's token into a choice among ``ppp.rearrangement.ACTIONS``. Only
the adapters before and behind the backbone are trained and saved.
"""
from __future__ import annotations

from pathlib import Path

#: the adapters this repository ships
SHIPPED = Path(__file__).resolve().parents[1] / "pretrained" / "llarp"

__all__ = ["SHIPPED"]
