"""CLIP text towers: tokenizer, tower, weights of three naming schemes, files that must be refused.

No published weights are needed: what a tower computes is checked against torch's own transformer
layers on random weights.
"""
from __future__ import annotations

import gzip
import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ppp.errors import PPPError
from ppp.language.codebook import Codebook
from ppp.language.encoders import (
    OpenClip,
    WeightsNotFound,
    clip_bpe,
    clip_text,
    load_encoder,
    openclip,
)
from ppp.language.encoders.clip_bpe import BytePairs, find_vocabulary, read_merges, words
from ppp.language.encoders.clip_text import ClipSize, ClipText, architecture
from ppp.language.encoders.clip_weights import build, canonical, read_file, state_hash
from ppp.language.finetune import FitSettings
from ppp.language.fit import fit_model
from ppp.language.matcher import Matcher
from ppp.language.model import load_model
from ppp.language.phrases import PhraseSet

MERGES = [("w", "a"), ("l", "k</w>"), ("wa", "lk</w>"), ("r", "u"), ("ru", "n</w>"), ("s", "t")]
SIZE = ClipSize(embed_dim=24, width=16, layers=2, context=12, vocabulary=512 + len(MERGES) + 2)


def tower(seed: int = 0, size: ClipSize = SIZE) -> ClipText:
    torch.manual_seed(seed)
    model = ClipText(size).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases too, and as a half precision file holds them
            parameter.add_(0.1 * torch.randn_like(parameter)).copy_(parameter.half().float())
    return model


def encoder(seed: int = 0, size: ClipSize = SIZE) -> OpenClip:
    return OpenClip("ViT-B-32", tower(seed, size), BytePairs(MERGES, size.context))


def as_transformers(state):
    """The same weights under transformers' names, queries, keys and values apart."""
    out = {"vision_model.embeddings.class_embedding": torch.zeros(3),
           "text_model.embeddings.token_embedding.weight": state["token_embedding.weight"],
           "text_model.embeddings.position_embedding.weight": state["positional_embedding"],
           "text_model.embeddings.position_ids": torch.arange(SIZE.context),
           "text_model.final_layer_norm.weight": state["ln_final.weight"],
           "text_model.final_layer_norm.bias": state["ln_final.bias"],
           "text_projection.weight": state["text_projection"].T.contiguous()}
    names = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1",
             "mlp.c_proj": "mlp.fc2", "attn.out_proj": "self_attn.out_proj"}
    for key, value in state.items():
        if not key.startswith("transformer."):
            continue
        number, rest = key.split(".", 3)[2:]
        prefix = f"text_model.encoder.layers.{number}."
        if rest.startswith("attn.in_proj_"):
            for part, third in zip("qkv", value.chunk(3)):
                out[f"{prefix}self_attn.{part}_proj.{rest[len('attn.in_proj_'):]}"] = third.clone()
        else:
            module, kind = rest.rsplit(".", 1)
            out[f"{prefix}{names[module]}.{kind}"] = value
    return out


SCHEMES = {
    "openai": lambda s: {**s, "visual.proj": torch.zeros(2), "logit_scale": torch.tensor(1.0)},
    "open_clip": lambda s: {"epoch": 3, "state_dict": {
        "module.text." + k: v for k, v in s.items()}},
    "transformers": as_transformers,
}


def test_words_are_parted_as_clip_does():
    assert words("Don't  WALK!! 42 caf\u00e9s &amp; I'll") == [
        "don", "'t", "walk", "!!", "4", "2", "caf\u00e9s", "&", "i", "'ll"]


def test_pairs_join_best_first_and_every_byte_has_a_piece():
    tokens = BytePairs(MERGES, 12)
    assert tokens.size == SIZE.vocabulary
    # 512 byte pieces, then one id a merge: walk</w> is merge 2, run</w> merge 4
    assert tokens.ids("walk run") == [tokens.start, 514, 516, tokens.end]
    assert tokens.ids("st") == [tokens.start, tokens.id["s"], tokens.id["t</w>"], tokens.end]
    assert len(tokens.pieces("\u4e2d")) == 3 and tokens.ids("")[1:] == [tokens.end]
    long = tokens.ids("walk " * 50)
    assert len(long) == 12 and long[-1] == tokens.end


def test_a_vocabulary_survives_saving(tmp_path):
    BytePairs(MERGES).save(tmp_path / "merges.txt")
    assert read_merges(tmp_path / "merges.txt") == MERGES
    (tmp_path / clip_bpe.FILE).write_bytes(gzip.compress((tmp_path / "merges.txt").read_bytes()))
    assert find_vocabulary(None, tmp_path).name == clip_bpe.FILE
    assert read_merges(tmp_path / clip_bpe.FILE) == MERGES


@pytest.mark.parametrize("data", [b"", b"#version\none two three\n", b"\x1f\x8bnot gzip",
                                  b"\xff\xfe\x00", gzip.compress(b"a b\n" * 99)[:-20]])
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path, data):
    path = tmp_path / "v.gz"
    path.write_bytes(data)
    with pytest.raises(PPPError, match="merges"):
        read_merges(path)


def test_a_missing_vocabulary_names_both_ways(monkeypatch, tmp_path):
    monkeypatch.setattr(clip_bpe, "PACKAGES", ("no_such_package_of_merges",))
    with pytest.raises(WeightsNotFound, match="open-clip-torch.*--vocabulary"):
        find_vocabulary(None, tmp_path)
    with pytest.raises(WeightsNotFound, match="absent.gz"):
        find_vocabulary(str(tmp_path / "absent.gz"))


@pytest.mark.parametrize("quick", [False, True])
def test_the_tower_equals_torch_s_own_layers(quick):
    size = ClipSize(24, 16, 2, 12, SIZE.vocabulary, quick_gelu=quick)
    model = tower(3, size)
    ids, mask = BytePairs(MERGES, 12).batch(["walk run stay"])
    x = model.token_embedding(ids) + model.positional_embedding[:ids.shape[1]]
    act = (lambda v: v * torch.sigmoid(1.702 * v)) if quick else nn.functional.gelu
    ahead = torch.triu(torch.full((ids.shape[1],) * 2, float("-inf")), 1)
    for block in model.transformer["resblocks"]:
        layer = nn.TransformerEncoderLayer(16, 1, 64, 0.0, act, batch_first=True, norm_first=True)
        layer.load_state_dict({
            "self_attn.in_proj_weight": block.attn.in_proj_weight,
            "self_attn.in_proj_bias": block.attn.in_proj_bias,
            "self_attn.out_proj.weight": block.attn.out_proj.weight,
            "self_attn.out_proj.bias": block.attn.out_proj.bias,
            "linear1.weight": block.mlp["c_fc"].weight, "linear1.bias": block.mlp["c_fc"].bias,
            "linear2.weight": block.mlp["c_proj"].weight, "linear2.bias": block.mlp["c_proj"].bias,
            "norm1.weight": block.ln_1.weight, "norm1.bias": block.ln_1.bias,
            "norm2.weight": block.ln_2.weight, "norm2.bias": block.ln_2.bias})
        x = layer(x, src_mask=ahead)
    expected = model.ln_final(x)[:, -1] @ model.text_projection
    assert torch.allclose(model(ids, mask), expected, atol=1e-5)


def test_no_token_looks_ahead_and_the_end_mark_is_read():
    model = tower()
    ids, mask = BytePairs(MERGES, 12).batch(["walk run", "walk run run run run"])
    hidden = model.hidden(ids)
    assert torch.allclose(hidden[0, :3], hidden[1, :3], atol=1e-6)  # start walk run: same so far
    assert torch.allclose(model(ids, mask)[0], hidden[0, 3] @ model.text_projection, atol=1e-6)
    alone, own = BytePairs(MERGES, 12).batch(["walk run"])
    assert torch.allclose(model(ids, mask)[0], model(alone, own)[0], atol=1e-6)


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors"])
@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_three_naming_schemes_give_one_encoder(tmp_path, scheme, suffix):
    source = tower(1)
    state = SCHEMES[scheme]({k: v.half() for k, v in source.state_dict().items()})
    path = tmp_path / ("w" + suffix)
    if suffix == ".safetensors":
        flat = state.get("state_dict", state)
        save_file({k: v.clone() for k, v in flat.items()}, str(path))
    else:
        torch.save(state, str(path))
    BytePairs(MERGES).save(tmp_path / "merges.txt")
    model = build(read_file(path), None, path)
    ids, mask = BytePairs(MERGES, 12).batch(["walk", "run to st", ""])
    assert torch.equal(model(ids, mask), source(ids, mask))
    assert state_hash(model.state_dict()) == state_hash(source.state_dict())
    assert model.state_dict()["ln_final.weight"].dtype == torch.float32


def test_a_tower_without_projection_gives_its_state(tmp_path):
    state = as_transformers(tower(1).state_dict())
    del state["text_projection.weight"]
    model = build(state, None, tmp_path / "x.bin")
    ids, mask = BytePairs(MERGES, 12).batch(["walk"])
    assert torch.equal(model(ids, mask), tower(1).hidden(ids)[:, -1]) and model.size.dim == 16


def test_quickgelu_is_read_from_the_weights(tmp_path):
    state = tower().state_dict()
    marks = {name: torch.tensor(7) for name in ("input_resolution", "context_length", "vocab_size")}
    assert not build(dict(state), None, tmp_path / "x.pt").size.quick_gelu
    assert build({**state, **marks}, None, tmp_path / "x.pt").size.quick_gelu
    (tmp_path / "config.json").write_text('{"text_config": {"hidden_act": "quick_gelu"}}')
    assert build(as_transformers(state), None, tmp_path / "x.pt").size.quick_gelu
    assert architecture("ViT-B/32-quickgelu").quick_gelu
    assert architecture("RN50").embed_dim == 1024
    with pytest.raises(PPPError, match="did you mean 'ViT-B-32'"):
        architecture("ViT-B-33")


class Block(nn.Module):
    """A module with a parameter, for a TorchScript archive like OpenAI's."""

    def __init__(self, tree) -> None:
        super().__init__()
        for name, value in tree.items():
            if isinstance(value, dict):
                self.add_module(name, Block(value))
            else:
                self.register_buffer(name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def nested(state):
    tree = {}
    for key, value in state.items():
        *path, last = key.split(".")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return tree


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_openai_s_archives_are_read_without_running_them(tmp_path):
    source = tower(2)
    path = tmp_path / "ViT-B-32.pt"
    state = {k: v.half() for k, v in source.state_dict().items()}
    torch.jit.save(torch.jit.script(Block(nested(state))), str(path))
    found = canonical(read_file(path))
    assert set(found) == set(state)
    assert all(torch.equal(found[name], state[name]) for name in state)


class Bomb:
    def __reduce__(self):
        return (open, ("/tmp/should-not-exist-ppp", "w"))


def write_bad(kind, path):
    state = {k: v.clone() for k, v in tower().state_dict().items()}
    if kind == "code":
        path.write_bytes(pickle.dumps({"a": Bomb()}))
    elif kind == "torch code":
        torch.save({"a": Bomb()}, str(path))
    elif kind == "garbage":
        path.write_bytes(b"garbage" * 99)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "list":
        torch.save([1, 2], str(path))
    elif kind == "vision only":
        torch.save({"visual.proj": torch.zeros(2, 2)}, str(path))
    elif kind == "nan":
        state["ln_final.bias"][0] = float("nan")
        torch.save(state, str(path))
    elif kind == "layer missing":
        del state["transformer.resblocks.0.mlp.c_fc.weight"]
        torch.save(state, str(path))
    else:
        torch.save(state, str(path))


@pytest.mark.parametrize("kind, words_", [
    ("code", "code besides tensors"), ("torch code", "code besides tensors"),
    ("garbage", "not a"), ("empty", "not a readable"), ("list", "holds a list"),
    ("vision only", "no CLIP text tower"), ("nan", "ln_final.bias holds values that are no num"),
    ("layer missing", "transformer.resblocks.0.mlp.c_fc.weight"),
    ("other architecture", "width 16, the named architecture has 512")])
def test_bad_weights_get_one_sentence(tmp_path, monkeypatch, recwarn, kind, words_):
    monkeypatch.setitem(clip_text.ARCHITECTURES, "tiny", SIZE)
    path = tmp_path / "w.pt"
    write_bad(kind, path)
    name = "ViT-B-32" if kind == "other architecture" else "tiny"
    with pytest.raises(PPPError) as caught:
        load_encoder(f"openclip:{name}", str(path))
    assert not recwarn.list
    assert words_ in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_weights_name_both_ways_and_are_never_random(tmp_path):
    with pytest.raises(WeightsNotFound, match="--weights FILE.*--pretrained TAG"):
        load_encoder("openclip")
    with pytest.raises(WeightsNotFound, match="absent.pt"):
        load_encoder("openclip", str(tmp_path / "absent.pt"))
    with pytest.raises(PPPError, match="give one"):
        load_encoder("openclip", "x.pt", pretrained="openai")
    with pytest.raises(PPPError, match="--pretrained: is for --encoder openclip"):
        load_encoder("lexical", pretrained="openai")
    with pytest.raises(PPPError, match="minilm has one architecture"):
        load_encoder("minilm:ViT-B-32")


def test_a_vocabulary_of_other_weights_is_refused():
    with pytest.raises(PPPError, match="519 pieces do not fit weights for 520"):
        OpenClip("ViT-B-32", tower(), BytePairs(MERGES[:-1], 12))


class FakeOpenClip:
    """The three functions of the open_clip package that are called."""

    def __init__(self, path, fail=False):
        self.path, self.fail = path, fail

    def get_pretrained_cfg(self, name, tag):
        return {"hf_hub": "x/", "quick_gelu": True} if tag == "laion" else {}

    def list_pretrained_tags_by_model(self, name):
        return ["laion"]

    def download_pretrained(self, config):
        if self.fail:
            raise RuntimeError("Failed to download\nlong story")
        return str(self.path)


def test_a_tag_is_fetched_through_open_clip(tmp_path, monkeypatch):
    monkeypatch.setattr(openclip, "PATIENCE", 0.01)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "open_clip", FakeOpenClip(tmp_path / "w.pt"))
    assert openclip.fetch("ViT-B-32", "laion") == (str(tmp_path / "w.pt"), True)
    with pytest.raises(PPPError, match="did you mean 'laion'"):
        openclip.fetch("ViT-B-32", "laoin")
    monkeypatch.setitem(sys.modules, "open_clip", FakeOpenClip(tmp_path, fail=True))
    with pytest.raises(WeightsNotFound, match="Failed to download.*--weights FILE"):
        openclip.fetch("ViT-B-32", "laion")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(WeightsNotFound, match="cannot be imported.*--weights FILE"):
        openclip.fetch("ViT-B-32", "laion")


LABELS = {"idle": "stay", "walk": "walk", "run": "run"}
TRAIN = {"idle": ["stay", "st st", "rest"], "walk": ["walk on", "go walk", "walk st"],
         "run": ["run on", "go run", "run st"]}


@pytest.mark.parametrize("method", ["adapter", "finetune"])
def test_a_clip_part_trains_saves_and_loads_without_its_weights(tmp_path, method):
    phrases = PhraseSet("x.yaml", "", dict(LABELS), dict(TRAIN), oos_train=["zz", "qq", "yy"])
    settings = FitSettings(epochs=30, lr=3e-3, batch=6)
    made = fit_model(encoder(), phrases, phrases.pairs("train"), method, settings).model
    made.save(str(tmp_path))
    loaded = load_model(str(tmp_path))
    assert loaded.encoder.name == "openclip:ViT-B-32" and loaded.method == method
    texts = ["walk on", "run", "st st", "zz"]
    for a, b in zip(Matcher(made).match_many(texts), Matcher(loaded).match_many(texts)):
        assert a.skill == b.skill and a.distance == pytest.approx(b.distance, abs=1e-3)
    pairs = phrases.pairs("train")
    right = [m.skill == s for m, (_, s) in zip(Matcher(loaded).match_many([t for t, _ in pairs]),
                                               pairs)]
    assert sum(right) >= 7
    if method == "adapter":  # other weights than those it was fitted on
        other = {name: v.half() for name, v in tower(5).state_dict().items()}
        save_file(other, str(tmp_path / "encoder.safetensors"))
        with pytest.raises(PPPError, match="other weights"):
            load_model(str(tmp_path))
    (tmp_path / "encoder.safetensors").write_bytes(b"12")
    with pytest.raises(PPPError, match="encoder.safetensors"):
        load_model(str(tmp_path))


def test_rows_have_unit_length_and_bags_know_words():
    clip = encoder()
    rows = clip.encode(["walk", "run to", ""])
    assert rows.shape == (3, 24) and torch.allclose(rows.norm(dim=-1), torch.ones(3), atol=1e-5)
    assert clip.encode([]).shape == (0, 24)
    bags = clip.bags(["walk run", "run walk", "st"])
    assert bags.shape == (3, 24) and torch.allclose(bags[0], bags[1], atol=1e-6)
    assert Codebook.build(clip, LABELS).codes.shape == (3, 24)
