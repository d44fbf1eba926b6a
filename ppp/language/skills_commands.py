"""``ppp skills``: list the codebook, or add a skill to it without touching the old entries."""
from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import tyro

from ppp.errors import PPPError, unknown
from ppp.language.skills_file import check_id, check_phrases, with_skill, without_outsiders
from ppp.options import read_options
from ppp.outputs import check_folder

if TYPE_CHECKING:
    import torch

    from ppp.language.codebook import Codebook
    from ppp.language.model import TextModel
    from ppp.language.phrases import PhraseSet

#: codes nearer than this get confused
CLOSE = 0.4
PHRASES = "phrases.yaml"


@dataclass
class AddSettings:
    """Add a skill: its label's code joins the codebook, and the adapter is fitted again."""

    id: tyro.conf.Positional[str]
    """id of the new skill: small letters, digits and _"""
    label: str
    """what the skill is called in plain English; this is what the codebook encodes"""
    phrase: tyro.conf.UseAppendAction[List[str]] = field(default_factory=list)
    """one way to ask for it; repeat the option, different action words help most"""
    heldout: tyro.conf.UseAppendAction[List[str]] = field(default_factory=list)
    """a way to ask for it that is only scored, not learnt; repeatable"""
    phrases: Optional[str] = None
    """phrase file to extend; default: the one in --out, else prompts/phrases.yaml"""
    model: Optional[str] = None
    """text part to extend; default: the one in --out, else the shipped one"""
    out: str = "runs/language"
    """folder for the extended phrase file, codebook and text part"""
    weights: Optional[str] = None
    """folder with the encoder's weights; default: the installed package"""
    allow_close: bool = False
    """accept a label that lies close to another skill's"""


@dataclass
class ListSettings:
    """The codebook's skills, each with the skill nearest to it."""

    model: Optional[str] = None
    """text part; default: the shipped one"""


def new_code(book: "Codebook", encoder: Any, label: str, allow_close: bool) -> "torch.Tensor":
    """(d,) code of a label from the reference encoder; PPPError where it lies too close."""
    import torch

    code = encoder.encode([label])[0]
    distance = torch.cdist(code[None], book.codes)[0]
    near = int(distance.argmin())
    if float(distance[near]) < CLOSE:
        text = (f"--label '{label}': its code lies {float(distance[near]):.2f} from that of "
                f"{book.skills[near]} ('{book.labels[near]}'), under {CLOSE} the two get confused")
        if not allow_close:
            raise PPPError(text + ", choose a label that says what differs or pass --allow-close")
        print(f"warning: {text}", file=sys.stderr)
    return code


def base_files(settings: AddSettings) -> Tuple[str, str]:
    """Phrase file and text part to start from: those named, those in --out, or the shipped ones."""
    from ppp.finetune_clip import find_phrases
    from ppp.language import SHIPPED

    out = Path(settings.out)
    phrases = settings.phrases or (str(out / PHRASES) if (out / PHRASES).is_file()
                                   else find_phrases("prompts/phrases.yaml"))
    model = settings.model or (str(out) if (out / "card.yaml").is_file() else str(SHIPPED))
    return phrases, model


def reference(model: "TextModel", folder: str) -> Any:
    """The frozen encoder that made the codebook. PPPError for a part that has none."""
    encoder = getattr(model.encoder, "base", None)
    if model.method != "adapter" or encoder is None:
        raise PPPError(f"{folder}: method {model.method} has no adapter to fit again, add the skill"
                       " to the phrase file and run ppp finetune-clip")
    if encoder.weights_hash != model.book.encoder_hash:
        raise PPPError(f"{folder}: its codebook was made by another encoder, fit the text part "
                       "again with ppp finetune-clip --method adapter")
    return encoder


def shares(model: "TextModel", pairs: List[Tuple[str, str]]) -> Tuple[Dict[str, float], float]:
    """Share right per skill and overall of (text, skill) pairs."""
    from ppp.language.matcher import Matcher
    from ppp.language.metrics import per_skill, share
    from ppp.language.scores import top1

    right = top1(Matcher(model), pairs)[1]
    rows = [(skill, good) for (_, skill), good in zip(pairs, right)]
    return per_skill(rows), float(share(right) or 0.0)


def old_pairs(phrases: "PhraseSet", skills: Tuple[str, ...]) -> List[Tuple[str, str]]:
    """Held-out (text, skill) of the old skills: the natural and the strict lists."""
    lists = [getattr(phrases, name, None) or {} for name in ("natural", "heldout")]
    return [(text, skill) for texts in lists for skill, all_ in texts.items() if skill in skills
            for text in all_]


def add(settings: AddSettings) -> int:
    """Extend phrases, codebook and adapter; print accuracy on the old skills before and after."""
    from ppp.language.encoders.base import Remembering
    from ppp.language.fit import fit_model
    from ppp.language.model import load_model
    from ppp.language.phrases import load_phrases

    if not settings.phrase:
        raise PPPError('--phrase: none given, repeat --phrase "..." for each way to ask for it')
    source, folder = base_files(settings)
    phrases = load_phrases(source)
    old = load_model(folder, settings.weights)
    encoder = reference(old, folder)
    check_id(settings.id, (*old.book.skills, *phrases.labels))
    check_phrases(settings.phrase + settings.heldout, phrases)
    code = new_code(old.book, encoder, settings.label, settings.allow_close)
    check_folder(settings.out)
    out = Path(settings.out)
    text = with_skill(Path(source).read_text(encoding="utf-8"), settings.id, settings.label,
                      settings.phrase, settings.heldout, source)
    text, dropped = without_outsiders(text, settings.phrase + settings.heldout)
    if dropped:
        print(f"note: no longer listed as commands that no skill fits: {', '.join(dropped)}")
    draft = out / (PHRASES + ".tmp")
    draft.write_text(text, encoding="utf-8")
    try:
        extended = load_phrases(str(draft))
        extended.check_ids(extended.labels)
        book = old.book.extended(settings.id, settings.label, code)
        missing = [skill for skill in book.skills if skill not in extended.labels]
        if missing:
            raise PPPError(f"{source}: has no phrases of the skill {missing[0]} that {folder} "
                           "knows, give the phrase file that belongs to it with --phrases")
        warn_overlap(settings, extended)
        pairs = extended.pairs("train")
        new = fit_model(Remembering(encoder), extended, pairs, "adapter", book=book).model
        report(settings, old, new, extended)
        new.encoder.base = encoder
        new.card = {"command": f"ppp skills add {settings.id}", "trained_on": len(pairs),
                    "phrases_sha256": extended.sha256, "extends": str(folder)}
        new.save(settings.out)
        os.replace(str(draft), str(out / PHRASES))
    finally:
        if draft.exists():
            draft.unlink()
    print(f"saved {out}: {PHRASES}, codebook of {len(book.skills)} skills, text part\n"
          f"use it: ppp classify \"{settings.phrase[0]}\" --model {out}; in training: "
          f"codebook: {out}")
    return 0


def warn_overlap(settings: AddSettings, phrases: "PhraseSet") -> None:
    """Say which held-out phrases share words with the new ones (their figures would flatter), and
    which out-of-set ones do (they may mean the new skill)."""
    from ppp.language.overlap import overlaps

    held = [text for _, texts in phrases.heldout.items() for text in texts]
    shared = overlaps(settings.phrase, held)
    if shared:
        text, words = next(iter(shared.items()))
        print(f"warning: {len(shared)} held-out phrases share words with the new ones, the first is"
              f" '{text}' ({', '.join(words)}); they are no longer strict", file=sys.stderr)
    like = list(overlaps(settings.phrase, phrases.oos_train))
    if like:
        names = ", ".join(f"'{text}'" for text in like[:5])
        print(f"warning: {len(like)} phrases of oos_train teach that no skill fits though they "
              f"share words with the new ones ({names}{', ...' if len(like) > 5 else ''}); take "
              "those that mean the new skill out of the file", file=sys.stderr)


def report(settings: AddSettings, old: "TextModel", new: "TextModel", phrases: "PhraseSet") -> None:
    """The table of old skills before and after, and of the new one."""
    from ppp.language.report import console, percent, skill_table

    pairs = old_pairs(phrases, old.book.skills)
    (before, all_before), (after, all_after) = shares(old, pairs), shares(new, pairs)
    out = console()
    if pairs:
        changed = [skill for skill in after if after[skill] != before[skill]]
        if changed:
            out.print(skill_table({"before": {s: before[s] for s in changed},
                                   "after": {s: after[s] for s in changed}}))
        print(f"old skills, {len(pairs)} held-out phrases: {percent(all_before)} % right before, "
              f"{percent(all_after)} % after; {len(after) - len(changed)} of {len(after)} skills "
              "unchanged")
    given = [(text, settings.id) for text in settings.phrase]
    print(f"{settings.id}: {percent(shares(new, given)[1])} % of its {len(given)} phrases right")
    if settings.heldout:
        share = shares(new, [(text, settings.id) for text in settings.heldout])[1]
        print(f"{settings.id}: {percent(share)} % of {len(settings.heldout)} held-out phrases "
              "right")
    distance, first, second = new.book.closest_pair()
    print(f"codebook min distance {distance:.3f} ({first} / {second})")
    if len(given) < 10:
        print("note: a skill with fewer than ten phrases knows few words; more action words help")


def show(settings: ListSettings) -> int:
    """Print the codebook as a table."""
    import torch
    from rich.table import Table

    from ppp.language import SHIPPED
    from ppp.language.codebook import Codebook
    from ppp.language.report import console

    book = Codebook.load(Path(settings.model or SHIPPED))
    distance = torch.cdist(book.codes, book.codes).fill_diagonal_(float("inf"))
    table = Table("skill", "label", "nearest skill", "distance")
    for number, skill in enumerate(book.skills):
        near = int(distance[number].argmin())
        table.add_row(skill, book.labels[number], book.skills[near],
                      f"{float(distance[number, near]):.3f}")
    console().print(table)
    return 0


COMMANDS = {"add": (AddSettings, add), "list": (ListSettings, show)}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp skills add|list``."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: ppp skills add ID --label TEXT --phrase TEXT ... | ppp skills list\n"
              "       (ppp skills add --help explains it)")
        return 0
    if argv[0] not in COMMANDS:
        raise unknown("skills command", argv[0], COMMANDS)
    kind, run = COMMANDS[argv[0]]
    settings = read_options(kind, argv[1:], f"ppp skills {argv[0]}")
    return run(settings)
