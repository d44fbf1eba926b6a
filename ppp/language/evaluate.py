"""``ppp eval language``: score a saved text part on a phrase file."""
from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Dict, List, Optional


@dataclass
class Settings:
    """Score the text part: accuracy on unseen phrases, refusal of unknown ones, negation."""

    phrases: str = "prompts/phrases.yaml"
    """phrase file; its held-out, out-of-set, negation, composite and planner lists are scored"""
    model: Optional[str] = None
    """folder saved by ppp finetune-clip; default: the shipped text part"""
    weights: Optional[str] = None
    """folder with the encoder's weights; default: the installed package"""
    json: Optional[str] = None
    """write all figures to this file"""


def evaluate(phrases_path: str, model: Optional[str] = None, weights: Optional[str] = None,
             ) -> Dict[str, Any]:
    """Figures of ``scores.score`` (shares 0 to 1) for a phrase file.

    Adds encoder, method and file. Raises PPPError for a bad file or an id the codebook lacks.
    """
    from ppp.language import load_matcher
    from ppp.language.phrases import load_phrases
    from ppp.language.scores import score

    phrases = load_phrases(phrases_path)
    matcher = load_matcher(folder=model, weights=weights)
    scores = score(matcher, phrases, phrases.pairs("heldout"))
    return {**scores, "encoder": matcher.model.encoder.name, "method": matcher.model.method,
            "phrases": phrases_path, "phrases_sha256": phrases.sha256}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval language``."""
    import tyro

    from ppp.finetune_clip import find_phrases
    from ppp.language.report import console, figure_table, skill_table, write_json

    arguments = sys.argv[1:] if argv is None else argv
    settings = tyro.cli(Settings, args=arguments, prog="ppp eval language")
    scores = evaluate(find_phrases(settings.phrases), settings.model, settings.weights)
    console().print(skill_table({"right (%)": scores["per_skill"]}))
    console().print(figure_table({scores["method"]: scores}))
    if settings.json:
        write_json(settings.json, scores)
    return 0
