"""The codebook: one frozen unit vector per skill. It is stored, never recomputed.

Recomputing it while the encoder trains lets encoder and codes meet in one point: the loss looks
excellent and every command becomes the same skill. And a policy was trained on these very vectors.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch.nn import functional as F

from ppp.errors import PPPError, unknown
from ppp.language.encoders.base import TextEncoder

FORMAT = 1


@dataclass(frozen=True)
class Codebook:
    """K skills: ids, labels and their vectors."""

    skills: Tuple[str, ...]
    labels: Tuple[str, ...]
    #: (K, d) float32, rows of length 1
    codes: torch.Tensor
    #: encoder that made the codes: its name and its weights' sha256
    encoder: str
    encoder_hash: str

    def __post_init__(self) -> None:
        if len(set(self.skills)) != len(self.skills):
            raise PPPError("codebook: a skill id occurs twice, keep one entry for each skill")
        if self.codes.ndim != 2 or len(self.codes) != len(self.skills):
            raise PPPError(f"codebook: codes of shape {tuple(self.codes.shape)} do not fit "
                           f"{len(self.skills)} skills, store one row for each skill")
        if len(self.labels) != len(self.skills):
            raise PPPError("codebook: labels and skills differ in number, give every skill a label")

    @classmethod
    def build(cls, encoder: TextEncoder, labels: Dict[str, str],
              known: Optional["Codebook"] = None) -> "Codebook":
        """Encode the labels (skill id -> label) once with the reference encoder.

        Where ``known`` was made by the same encoder, its code of a skill with the same label is
        taken over: encoding it again, in a batch with other texts, may change its last bit, and
        policies are trained on these very numbers.
        """
        codes = encoder.encode(list(labels.values())).detach().clone()
        if known is not None and known.encoder_hash == encoder.weights_hash:
            for row, pair in enumerate(labels.items()):
                if pair in zip(known.skills, known.labels):
                    codes[row] = known.codes[known.index(pair[0])]
        return cls(tuple(labels), tuple(labels.values()), codes, encoder.name, encoder.weights_hash)

    @classmethod
    def from_centroids(cls, encoder: TextEncoder, labels: Dict[str, str],
                       texts: Dict[str, List[str]]) -> "Codebook":
        """Codes = unit mean of each skill's phrases, for encoders whose labels say too little."""
        means = [encoder.encode([label, *texts.get(skill, [])]).mean(0)
                 for skill, label in labels.items()]
        codes = F.normalize(torch.stack(means), dim=-1)
        return cls(tuple(labels), tuple(labels.values()), codes, encoder.name, encoder.weights_hash)

    def extended(self, skill: str, label: str, code: torch.Tensor) -> "Codebook":
        """A codebook with one more skill, whose code is (d,); the old codes stay bit for bit."""
        codes = torch.cat([self.codes, code.detach().reshape(1, -1)])
        return Codebook((*self.skills, skill), (*self.labels, label), codes, self.encoder,
                        self.encoder_hash)

    def index(self, skill: str) -> int:
        """Row of a skill id. Raises PPPError with the nearest id for an unknown one."""
        if skill not in self.skills:
            raise unknown("skill", skill, self.skills)
        return self.skills.index(skill)

    @property
    def sha256(self) -> str:
        """Identity of ids and vectors: what a policy trained on this codebook must find again."""
        digest = hashlib.sha256("\n".join(self.skills).encode())
        digest.update(self.codes.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def closest_pair(self) -> Tuple[float, str, str]:
        """Distance and ids of the two codes nearest to each other; under 0.4 they get confused."""
        return closest_pair(self.codes, self.skills)

    def save(self, folder: Path) -> None:
        """Write ``codebook.safetensors`` and ``codebook.json`` into an existing folder."""
        # Through bytes: save_file would make a file that only its owner can read.
        (folder / "codebook.safetensors").write_bytes(save({"codes": self.codes.contiguous()}))
        about: Dict[str, Any] = {
            "format": FORMAT, "encoder": self.encoder, "encoder_sha256": self.encoder_hash,
            "skills": [{"id": i, "label": t} for i, t in zip(self.skills, self.labels)]}
        text = json.dumps(about, indent=1) + "\n"
        (folder / "codebook.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Codebook":
        """Read what ``save`` wrote. Raises PPPError naming the file for anything else."""
        path = Path(folder) / "codebook.json"
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            skills = tuple(str(entry["id"]) for entry in about["skills"])
            labels = tuple(str(entry["label"]) for entry in about["skills"])
            encoder, encoder_hash = str(about["encoder"]), str(about["encoder_sha256"])
            path = Path(folder) / "codebook.safetensors"
            codes = load_file(str(path))["codes"].float()
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise PPPError(f"{path}: not a readable codebook ({error}), write it again with "
                           "ppp finetune-clip") from error
        return cls(skills, labels, codes, encoder, encoder_hash)


def closest_pair(codes: torch.Tensor, skills: Sequence[str]) -> Tuple[float, str, str]:
    """Smallest distance between two of the (K, d) rows, and their ids; (inf, '', '') when K < 2."""
    if len(codes) < 2:
        return float("inf"), "", ""
    distance = torch.cdist(codes, codes).fill_diagonal_(float("inf"))
    row, column = divmod(int(distance.argmin()), len(codes))
    return float(distance[row, column]), skills[row], skills[column]
