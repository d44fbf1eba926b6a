"""``ppp eval language``: score a saved text part on a phrase file."""
from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from ppp.errors import PPPError

if TYPE_CHECKING:
    from ppp.language.phrases import PhraseSet


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
    compare: bool = False
    """fit and score several methods instead, beside their controls; may take an hour"""
    arms: List[str] = field(default_factory=list)
    """with --compare: which methods; default: all"""
    seeds: int = 3
    """with --compare: fits of each method that has a seed"""
    epochs: int = 4
    """with --compare: passes of gradient training over the training phrases"""
    cache: str = "runs/compare"
    """with --compare: folder that keeps finished fits, so that an interrupted call goes on"""
    markdown: Optional[str] = None
    """with --compare: write the tables to this file"""


def evaluate(phrases_path: str, model: Optional[str] = None, weights: Optional[str] = None,
             ) -> Dict[str, Any]:
    """Figures of ``scores.score`` (shares 0 to 1) for a phrase file.

    Adds encoder, method, file, and 'lexical': the same figures of the control (TF-IDF fitted to the
    file's training phrases; None where a skill has none). Raises PPPError for a bad file or an id
    that the codebook lacks.
    """
    from ppp.language import load_matcher
    from ppp.language.phrases import load_phrases
    from ppp.language.scores import score

    phrases = load_phrases(phrases_path)
    matcher = load_matcher(folder=model, weights=weights)
    scores = score(matcher, phrases, phrases.pairs("heldout"))
    return {**scores, "lexical": lexical_control(phrases),
            "encoder": matcher.model.encoder.name, "method": matcher.model.method,
            "phrases": phrases_path, "phrases_sha256": phrases.sha256}


def lexical_control(phrases: "PhraseSet") -> Optional[Dict[str, Any]]:
    """Figures of nearest TF-IDF means: what the words alone give, without any understanding."""
    from ppp.language.encoders.lexical import Lexical
    from ppp.language.fit import fit_model
    from ppp.language.matcher import Matcher
    from ppp.language.scores import score

    if not all(phrases.train.get(skill) for skill in phrases.labels):
        return None
    pairs = phrases.pairs("train")
    control = fit_model(Lexical.fit([text for text, _ in pairs]), phrases, pairs).model
    return score(Matcher(control), phrases, phrases.pairs("heldout"))


def compare_methods(settings: Settings) -> Dict[str, Any]:
    """The table of methods over seeds, printed; returns arm -> results."""
    import torch
    from rich.table import Table

    from ppp.finetune_clip import find_phrases
    from ppp.language.compare import ARMS, compare, markdown, method_rows, skill_rows
    from ppp.language.phrases import load_phrases
    from ppp.language.report import console
    from ppp.outputs import check_file, check_folder

    for name in ("seeds", "epochs"):
        if getattr(settings, name) < 1:
            raise PPPError(f"--{name} {getattr(settings, name)}: must be at least 1")
    check_folder(settings.cache)
    check_file(settings.markdown, "table")
    torch.set_num_threads(1)
    out = console()
    phrases = load_phrases(find_phrases(settings.phrases))
    found = compare(phrases, settings.arms or list(ARMS), settings.seeds, settings.epochs,
                    settings.cache, settings.weights,
                    lambda line: print(line, flush=True))
    tables = [method_rows(found), skill_rows(found)]
    for rows in tables:
        table = Table(*rows[0])
        for row in rows[1:]:
            table.add_row(*row)
        out.print(table)
    if settings.markdown:
        about = (f"Phrase file sha256 {phrases.sha256[:8]}, "
                 f"{len(phrases.pairs('train'))} training phrases.")
        text = "\n\n".join([about, *map(markdown, tables)]) + "\n"
        Path(settings.markdown).write_text(text, encoding="utf-8")
    return {"epochs": settings.epochs, "phrases_sha256": phrases.sha256, "arms": found}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval language``."""
    from ppp.finetune_clip import find_phrases
    from ppp.language.report import console, figure_table, skill_table
    from ppp.options import read_options
    from ppp.outputs import check_file, write_json

    arguments = sys.argv[1:] if argv is None else argv
    settings = read_options(Settings, arguments, "ppp eval language")
    check_file(settings.json)
    if settings.compare:
        values = compare_methods(settings)
        if settings.json:
            write_json(values, settings.json)
        return 0
    for name in ("arms", "markdown"):
        if getattr(settings, name):
            raise PPPError(f"--{name}: goes with --compare only, add that or drop this")
    scores = evaluate(find_phrases(settings.phrases), settings.model, settings.weights)
    control = {"lexical": scores["lexical"]} if scores["lexical"] else {}
    columns = {**control, scores["method"]: scores}
    console().print(skill_table({name: found["per_skill"] for name, found in columns.items()}))
    console().print(figure_table(columns))
    if settings.json:
        write_json(scores, settings.json)
    return 0
