"""Fine-tune the text encoder to a phrase list: ``ppp finetune-clip`` or this file as a script."""
from __future__ import annotations

import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # As a script, Python puts ppp/ on the path, where our folders would hide other modules.
    sys.path[0] = str(ROOT)

from ppp.errors import PPPError, run_entry, unknown  # noqa: E402
from ppp.outputs import check_file, check_folder, write_json  # noqa: E402

#: exit status when the embedding space has collapsed; nothing is saved then
COLLAPSED = 4


@dataclass
class Settings:
    """Teach the text encoder which skill a command names, and measure it before and after."""

    phrases: str = "prompts/phrases.yaml"
    """phrase file: labels, training and held-out phrases, out-of-set lists"""
    out: str = "runs/text"
    """folder to save to (with --eval-only: to load from)"""
    encoder: str = "minilm"
    """minilm, openclip:ARCHITECTURE (ViT-B-32, ...), lexical (no weights needed), or scratch
    (random weights: a control)"""
    weights: Optional[str] = None
    """folder with the encoder's weights (default: the installed package); of openclip, a file"""
    pretrained: Optional[str] = None
    """of openclip: tag of the weights in the open_clip package, fetched over the network"""
    vocabulary: Optional[str] = None
    """of openclip: bpe_simple_vocab_16e6.txt.gz or merges.txt; default: the open_clip package's"""
    method: str = "finetune"
    """finetune (gradient, minutes) or adapter (closed form, seconds)"""
    loss: str = "mse+ce"
    """mse (the paper's), mse+ce, ce or mse+contrast"""
    outliers: bool = True
    """train "unknown" on the file's oos_train phrases too"""
    epochs: int = 4
    """passes over the training phrases"""
    lr: float = 1e-4
    """peak learning rate of AdamW"""
    batch: int = 32
    """phrases in a batch"""
    seed: int = 0
    """seed of shuffling and splits"""
    threads: int = 1
    """CPU threads"""
    split: str = "file"
    """what is scored: file (its held-out lists), soft (unseen phrasing), leave-words-out"""
    allow_overlap: bool = False
    """accept held-out phrases that share content words with training"""
    eval_only: bool = False
    """score the folder --out, train nothing"""
    json: Optional[str] = None
    """write all figures to this file"""


def check(settings: Settings) -> None:
    """Refuse numbers that cannot work. Raises PPPError naming the flag."""
    for name in ("epochs", "batch", "threads"):
        if getattr(settings, name) < 1:
            raise PPPError(f"--{name} {getattr(settings, name)}: must be at least 1")
    if not 0.0 < settings.lr < 1.0:
        raise PPPError(f"--lr {settings.lr}: must lie between 0 and 1, 1e-4 works well")
    if not 0 <= settings.seed < 2**31:
        raise PPPError(f"--seed {settings.seed}: must be a whole number from 0 to 2147483647")
    from ppp.language.finetune import LOSSES

    if settings.loss not in LOSSES:
        raise unknown("--loss", settings.loss, LOSSES)
    if settings.json is not None:
        check_file(settings.json)


def find_phrases(path: str) -> str:
    """The path as given, or beneath the checkout when it is not in the working directory."""
    beside = ROOT / path
    return str(beside) if not Path(path).exists() and beside.exists() else path


def check_overlap(settings: Settings, train: List[Tuple[str, str]], test: List[Tuple[str, str]],
                  ) -> int:
    """Number of test phrases sharing content words with training; PPPError unless allowed."""
    from ppp.language.overlap import overlaps

    shared = overlaps((text for text, _ in train), (text for text, _ in test))
    if shared and settings.split == "file" and not settings.allow_overlap:
        text, words = next(iter(shared.items()))
        raise PPPError(
            f"{settings.phrases}: {len(shared)} held-out phrases share words with training, the "
            f"first is '{text}' ({', '.join(words)}), reword them or pass --allow-overlap")
    return len(shared)


def fit_with_bar(encoder: Any, phrases: Any, pairs: List[Tuple[str, str]], settings: Settings):
    """``fit_model`` behind a progress bar that shows the epoch's loss; plain lines in a file."""
    from rich.progress import Progress

    from ppp.language.finetune import FitSettings
    from ppp.language.fit import fit_model
    from ppp.language.report import console

    fit = FitSettings(settings.loss, settings.epochs, settings.lr, settings.batch, settings.seed,
                      settings.outliers)
    out = console()
    trains = settings.method == "finetune" and settings.encoder != "lexical"
    with Progress(console=out, disable=not out.is_terminal) as bar:
        task = bar.add_task("fitting", total=settings.epochs if trains else None)

        def on_epoch(epoch: int, loss: float) -> None:
            bar.update(task, advance=1, description=f"epoch {epoch:2d}  loss {loss:.3f}")
            if not out.is_terminal:
                print(f"epoch {epoch:2d}  loss {loss:.3f}", flush=True)

        fitted = fit_model(encoder, phrases, pairs, settings.method, fit, on_epoch)
        bar.update(task, total=1, completed=1) if not trains else None
    return fitted


def score_split(model: Any, phrases: Any, split: Any) -> Dict[str, Any]:
    """``score`` of a model on a split, with 'strict': share right of wholly unseen words."""
    from ppp.language.matcher import Matcher
    from ppp.language.metrics import share
    from ppp.language.scores import score, top1

    matcher = Matcher(model)
    strict = share(top1(matcher, split.strict)[1])
    return {**score(matcher, phrases, split.test), "strict": strict}


def baseline(encoder: Any, phrases: Any, split: Any) -> Dict[str, Dict[str, Any]]:
    """Scores of the lexical control and of the encoder before training."""
    from ppp.language.encoders import Lexical, load_encoder
    from ppp.language.fit import build_codebook, fit_model
    from ppp.language.model import TextModel

    lexical = load_encoder("lexical", texts=[text for text, _ in split.train])
    control = fit_model(lexical, phrases, split.train).model
    out = {"lexical": score_split(control, phrases, split)}
    if not isinstance(encoder, Lexical):
        book = build_codebook(encoder, phrases, split.train)
        before = TextModel(encoder, book, rest=phrases.rest)
        out["before"] = score_split(before, phrases, split)
    return out


def show(columns: Dict[str, Dict[str, Any]]) -> None:
    """The per-skill and the overall table."""
    from ppp.language.report import console, figure_table, skill_table

    out = console()
    out.print(skill_table({name: scores["per_skill"] for name, scores in columns.items()
                           if name != "lexical" or len(columns) < 3}))
    out.print(figure_table(columns))


def describe_fit(fitted: Any) -> Dict[str, Any]:
    """Collapse figures of a gradient training; empty for the closed forms."""
    if fitted.report is None:
        return {}
    report = fitted.report
    print(f"train {100 * report.train_accuracy:.1f} %   label distance "
          f"{report.label_distance:.3f}   variance {report.variance:.3f}")
    return {"train_accuracy": report.train_accuracy, "label_distance": report.label_distance,
            "variance": report.variance, "losses": report.losses}


def figures(scores: Dict[str, Any]) -> Dict[str, Any]:
    """Scores rounded for the card."""
    def short(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items()}
        return round(value, 4) if isinstance(value, float) else value
    return short(scores)


def illustrate(settings: Settings, model: Any, split: Any, report: Dict[str, Any]) -> None:
    """The confusion picture, and training curves where gradients were followed."""
    from ppp.language.matcher import Matcher
    from ppp.language.pictures import confusion, draw_confusion, write_curves

    folder = Path(settings.out)
    answers = Matcher(model).match_many([text for text, _ in split.test])
    if answers:
        counts = confusion(answers, [skill for _, skill in split.test], model.book.skills)
        title = f"{report['encoder']} {report['method']}: % of {len(answers)} unseen commands"
        draw_confusion(counts, model.book.skills, title, folder / "confusion.png")
        print(f"picture  {folder / 'confusion.png'}")
    if "losses" in report:
        write_curves(report["losses"], report, folder / "tensorboard")
        print(f"curves   tensorboard --logdir {folder / 'tensorboard'}")


def train(settings: Settings, command: str) -> Tuple[int, Dict[str, Any]]:
    """Fit, score and save. Returns the exit status and the report."""
    from ppp.language.encoders import load_encoder
    from ppp.language.phrases import load_phrases
    from ppp.language.splits import make_split

    phrases = load_phrases(find_phrases(settings.phrases))
    phrases.check_ids(phrases.labels)
    split = make_split(settings.split, phrases, settings.seed)
    overlap = check_overlap(settings, split.train, split.test)
    check_folder(settings.out)
    encoder = load_encoder(settings.encoder, settings.weights, [text for text, _ in split.train],
                           settings.vocabulary, settings.pretrained, settings.seed)
    print(f"encoder  {encoder.name}  {encoder.dim}-d  sha256 {encoder.weights_hash[:8]}..")
    print(f"phrases  {len(phrases.labels)} skills  {len(split.train)} train  {len(split.test)} "
          f"scored ({settings.split})  {len(phrases.oos_train)} out-of-set  overlap {overlap}")
    columns = baseline(encoder, phrases, split)
    start = time.monotonic()
    fitted = fit_with_bar(encoder, phrases, split.train, settings)
    seconds = time.monotonic() - start
    model = fitted.model
    distance, first, second = model.book.closest_pair()
    print(f"codebook min distance {distance:.3f} ({first} / {second})"
          + ("  WARNING: these two will be confused" if distance < 0.4 else ""))
    about = describe_fit(fitted)
    columns["after"] = score_split(model, phrases, split)
    show(columns)
    report = {"command": command, "encoder": encoder.name, "method": model.method,
              "split": settings.split, "seconds": seconds, **about, **columns}
    if fitted.report is not None and fitted.report.collapsed:
        print("error: the embedding space has collapsed, nothing is saved; lower --lr",
              file=sys.stderr)
        return COLLAPSED, report
    model.card = {"command": command, "phrases_sha256": phrases.sha256,
                  "trained_on": len(split.train), "split": settings.split, "seed": settings.seed,
                  "figures": figures(columns["after"])}
    size = model.save(settings.out)
    illustrate(settings, model, split, report)
    print(f"threshold {model.threshold:.3f}   saved {settings.out} ({size / 1e6:.1f} MB)   "
          f"{seconds:.0f} s")
    return 0, report


def evaluate_only(settings: Settings) -> Dict[str, Any]:
    """Score a saved folder on the file's held-out lists."""
    from ppp.language import load_matcher
    from ppp.language.phrases import load_phrases
    from ppp.language.scores import score

    phrases = load_phrases(find_phrases(settings.phrases))
    matcher = load_matcher(folder=settings.out, weights=settings.weights)
    scores = score(matcher, phrases, phrases.pairs("heldout"))
    show({"now": scores})
    return {"encoder": matcher.model.encoder.name, "method": matcher.model.method, "now": scores}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp finetune-clip``. 0: done, 4: collapsed; a PPPError becomes 2."""
    from ppp.options import read_options

    arguments = sys.argv[1:] if argv is None else argv
    settings = read_options(Settings, arguments, "ppp finetune-clip")
    check(settings)

    import torch

    torch.set_num_threads(settings.threads)
    command = " ".join(["ppp finetune-clip", *map(shlex.quote, arguments)])
    if settings.eval_only:
        status, report = 0, evaluate_only(settings)
    else:
        status, report = train(settings, command)
    if settings.json:
        write_json(report, settings.json)
    return status


if __name__ == "__main__":
    sys.exit(run_entry(main))
