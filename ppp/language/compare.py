"""The table of methods: ``ppp eval language --compare``. Every fit is kept, to be resumed."""
from __future__ import annotations

import hashlib
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import torch

from ppp.errors import PPPError
from ppp.language import SHIPPED
from ppp.language.encoders import TextEncoder, load_encoder
from ppp.language.finetune import FitSettings
from ppp.language.fit import build_codebook, fit_model
from ppp.language.matcher import Matcher
from ppp.language.metrics import per_skill, share
from ppp.language.model import TextModel, load_model
from ppp.language.phrases import PhraseSet
from ppp.language.scores import score, top1
from ppp.outputs import write_json

#: counts up when the meaning of a stored result changes
VERSION = 1
#: texts timed one by one, and in one batch
TIMED, TIMED_BATCH = 40, 64


@dataclass(frozen=True)
class Arm:
    """One method of the table."""

    title: str
    encoder: str
    #: none (labels as they are), adapter or finetune
    method: str
    loss: str = ""
    outliers: bool = True
    #: times as many epochs as the others, and the learning rate: random weights need more of both
    longer: int = 1
    lr: float = 1e-4

    @property
    def seeded(self) -> bool:
        """Does a seed change the result? Closed forms have none."""
        return self.method == "finetune"


ARMS: Dict[str, Arm] = {
    "lexical": Arm("TF-IDF", "lexical", "adapter"),
    "label": Arm("pretrained, nearest label", "minilm", "none"),
    "adapter": Arm("ours: adapter (shipped)", "minilm", "adapter"),
    "paper": Arm("fine-tuned, the paper's MSE", "minilm", "finetune", "mse", False),
    "tuned": Arm("ours: fine-tuned, MSE + CE + outliers", "minilm", "finetune", "mse+ce"),
    "scratch": Arm("from scratch, MSE + CE + outliers", "scratch", "finetune", "mse+ce", longer=4,
                   lr=3e-4),
}


def build(arm: Arm, phrases: PhraseSet, seed: int, epochs: int, weights: Optional[str],
          ) -> TextModel:
    """Fit one arm on the file's training phrases; the shipped part, where it was fitted on this
    very file, is taken as it is."""
    if arm.method == "adapter" and arm.encoder == "minilm":
        shipped = load_model(str(SHIPPED), weights)
        if shipped.method == "adapter" and shipped.card.get("phrases_sha256") == phrases.sha256:
            return shipped
    pairs = phrases.pairs("train")
    own = weights if arm.encoder != "lexical" else None
    encoder = load_encoder(arm.encoder, own, [text for text, _ in pairs], seed=seed)
    if arm.method == "none":
        return TextModel(encoder, build_codebook(encoder, phrases, pairs), rest=phrases.rest,
                         stand_ins=phrases.stand_ins)
    settings = FitSettings(arm.loss or "mse+ce", epochs * arm.longer, arm.lr, seed=seed,
                           outliers=arm.outliers)
    return fit_model(encoder, phrases, pairs, arm.method, settings).model


def raw_and_quantised(model: TextModel, pairs: Sequence[Tuple[str, str]]) -> Dict[str, Any]:
    """How far from the right code is what a policy would be given?

    'raw': the encoding itself; 'quantised': the code nearest to it. Mean distances, and the share
    of texts for which the quantised one is nearer.
    """
    found = model.encoder.encode([text for text, _ in pairs])
    target = model.book.codes[[model.book.index(skill) for _, skill in pairs]]
    nearest = model.book.codes[torch.cdist(found, model.book.codes).argmin(-1)]
    raw = (found - target).norm(dim=-1)
    quantised = (nearest - target).norm(dim=-1)
    return {"raw": float(raw.mean()), "quantised": float(quantised.mean()),
            "quantised_nearer": float((quantised < raw).float().mean())}


def speed(encoder: TextEncoder, texts: Sequence[str]) -> Dict[str, float]:
    """Encodings a second: one by one (median), and in a batch of TIMED_BATCH."""
    def seconds(part: List[str]) -> float:
        start = time.perf_counter()
        encoder.encode(part)
        return time.perf_counter() - start

    some = list(texts)[:TIMED]
    seconds(some[:4])
    one = statistics.median(seconds([text]) for text in some)
    batch = (list(texts) * TIMED_BATCH)[:TIMED_BATCH]
    return {"one": 1.0 / one, "batch": TIMED_BATCH / min(seconds(batch) for _ in range(3))}


def measure(model: TextModel, phrases: PhraseSet) -> Dict[str, Any]:
    """Everything about one fit."""
    matcher = Matcher(model)
    strict, natural = phrases.pairs("heldout"), phrases.pairs("natural")
    both = natural + strict
    right = top1(matcher, both)[1]
    return {**score(matcher, phrases, strict),
            "all_held": share(right),
            "held_per_skill": per_skill([(s, ok) for (_, s), ok in zip(both, right)]),
            "codes": raw_and_quantised(model, both),
            "speed": speed(model.encoder, [text for text, _ in phrases.planner])}


def identity(arm: Arm, phrases: PhraseSet, seed: int, epochs: int) -> str:
    """What a stored result depends on, but for the code: hash of phrases and settings."""
    values = [VERSION, asdict(arm), phrases.sha256, seed, epochs if arm.seeded else 0]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _stored(path: Path, key: str) -> Optional[Dict[str, Any]]:
    """A result of an earlier call with the same key; None otherwise."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return values["result"] if values["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def compare(phrases: PhraseSet, arms: Sequence[str], seeds: int, epochs: int, folder: str,
            weights: Optional[str] = None, say: Callable[[str], None] = print,
            ) -> Dict[str, List[Dict[str, Any]]]:
    """arm -> one result a seed (one in all for a closed form).

    Results lie in ``folder`` and are not measured again while phrases and settings are the same;
    delete the folder after a change of the code. Raises PPPError for an unknown arm.
    """
    for name in arms:
        if name not in ARMS:
            raise PPPError(f"--arms {name}: unknown, choose from {', '.join(ARMS)}")
    out: Dict[str, List[Dict[str, Any]]] = {name: [] for name in arms}
    # Seed by seed, so that an interrupted comparison has something of every arm.
    for seed in range(seeds):
        for name in arms:
            arm = ARMS[name]
            if seed and not arm.seeded:
                continue
            path, key = Path(folder) / f"{name}-{seed}.json", identity(arm, phrases, seed, epochs)
            result = _stored(path, key)
            if result is None:
                start = time.monotonic()
                result = measure(build(arm, phrases, seed, epochs, weights), phrases)
                result["seconds"] = time.monotonic() - start
                write_json({"key": key, "arm": asdict(arm), "seed": seed, "result": result}, path)
            say(f"{arm.title}, seed {seed}: natural {_points(result.get('natural'))} strict "
                f"{_points(result['top1'])} planner {_points(result['planner'])}")
            out[name].append(result)
    return out


def _points(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


#: figures of the table: heading -> (key or path of keys, factor)
COLUMNS: Dict[str, Tuple[Tuple[str, ...], float]] = {
    "natural": (("natural",), 100), "strict": (("top1",), 100), "planner": (("planner",), 100),
    "negation": (("negation",), 100), "clauses": (("composite_clauses",), 100),
    "AUROC near": (("auroc_near",), 100), "AUROC far": (("auroc_far",), 100),
    "refused natural": (("refused_natural",), 100), "refused planner": (("refused_planner",), 100),
    "near let in": (("accepted_near",), 100), "far let in": (("accepted_far",), 100),
    "raw": (("codes", "raw"), 1), "quantised": (("codes", "quantised"), 1),
    "one /s": (("speed", "one"), 1), "batched /s": (("speed", "batch"), 1)}
#: headings of speeds and distances: shown without a spread, distances with two places
PLAIN = ("one /s", "batched /s")
DISTANCES = ("raw", "quantised")
#: how a heading is written where it is no percentage
UNITS = {"raw": "distance to the right code, raw", "quantised": "distance, quantised",
         "one /s": "encodings a second, one by one", "batched /s": "encodings a second, batched"}


def _value(result: Dict[str, Any], keys: Tuple[str, ...]) -> Optional[float]:
    for key in keys:
        result = result.get(key)  # type: ignore[assignment]
        if result is None:
            return None
    return float(result)  # type: ignore[arg-type]


def cell(results: Sequence[Dict[str, Any]], heading: str) -> str:
    """Mean over seeds, and the standard deviation where there are several."""
    keys, factor = COLUMNS[heading]
    values = [factor * value for value in (_value(result, keys) for result in results)
              if value is not None]
    if not values:
        return "-"
    places = 2 if heading in DISTANCES else 0 if heading in PLAIN else 1
    mean = f"{statistics.mean(values):.{places}f}"
    if len(values) < 2 or heading in PLAIN:
        return mean
    return f"{mean} ± {statistics.stdev(values):.{places}f}"


def method_rows(found: Dict[str, List[Dict[str, Any]]]) -> List[List[str]]:
    """Header and one row a figure, one column a method, as texts."""
    full = {name: results for name, results in found.items() if results}
    rows = [["figure", *(ARMS[name].title for name in full)],
            ["seeds", *(str(len(results)) for results in full.values())]]
    return rows + [[UNITS.get(heading, f"{heading} (%)"),
                    *(cell(results, heading) for results in full.values())]
                   for heading in COLUMNS]


def skill_rows(found: Dict[str, List[Dict[str, Any]]]) -> List[List[str]]:
    """Header and one row a skill: % right of natural and strict phrases, mean over seeds."""
    full = {name: results for name, results in found.items() if results}
    rows = [["skill", *(ARMS[name].title for name in full)]]
    skills = next(iter(full.values()))[0]["held_per_skill"] if full else {}
    for skill in skills:
        means = [statistics.mean(r["held_per_skill"][skill] for r in results)
                 for results in full.values()]
        rows.append([skill, *(f"{100 * mean:.0f}" for mean in means)])
    return rows


def markdown(rows: List[List[str]]) -> str:
    """Rows as a Markdown table, the first one its header."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


