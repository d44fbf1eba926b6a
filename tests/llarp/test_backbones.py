"""What the policy takes for granted of a backbone, as numbers."""
from __future__ import annotations

import pytest
import torch
from llarp_tools import TEXTS, needs_minilm, places

from ppp.errors import PPPError
from ppp.language.encoders.bert import Bert, mean_pool
from ppp.llarp.backbones import load_backbone, weights_hash
from ppp.llarp.backbones.encoder import TINY, load_tiny
from ppp.llarp.backbones.prefix import PrefixBert


def tiny():
    return load_backbone("tiny", precision="float32")


def causal():
    transformers = pytest.importorskip("transformers")
    from ppp.llarp.backbones.causal import CausalBackbone

    torch.manual_seed(0)
    config = transformers.LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48,
                                      num_hidden_layers=2, num_attention_heads=4,
                                      num_key_value_heads=2, max_position_embeddings=128)
    module = transformers.LlamaModel(config)
    return CausalBackbone("causal:test", module,
                          lambda text: {"input_ids": [1] + [3 + len(w) for w in text.split()]})


def minilm():
    return load_backbone("minilm", precision="float32")


BACKBONES = [tiny, causal, pytest.param(minilm, marks=needs_minilm)]


def tokens(backbone, n=3, t=5, seed=1):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(n, t, backbone.d_model, generator=chance) * backbone.spread


def run(backbone, x, real=None):
    """Hidden states (n, t, d), 0 where there is no token."""
    real = torch.ones(x.shape[:2], dtype=torch.bool) if real is None else real
    out = torch.zeros_like(x)
    out[real] = backbone.sequence(backbone.prefill(TEXTS), x[real], real)
    return out


@pytest.mark.parametrize("make", BACKBONES)
def test_later_tokens_change_nothing_before_them(make):
    backbone = make()
    x = tokens(backbone)
    y = x.clone()
    y[:, 3:] += 1.0
    before, after = run(backbone, x), run(backbone, y)
    assert (before[:, :3] == after[:, :3]).all()
    assert (before[:, 3:] != after[:, 3:]).any()


@pytest.mark.parametrize("make", BACKBONES)
def test_cached_steps_equal_the_whole_sequence(make):
    backbone = make()
    x = tokens(backbone)
    state = backbone.prefill(TEXTS, room=5)
    steps = torch.stack([backbone.step(state, x[:, t]) for t in range(5)], 1)
    assert (steps - run(backbone, x)).abs().max() < 1e-5


@pytest.mark.parametrize("make", BACKBONES)
def test_steps_go_on_after_rows_were_dropped_and_are_forgotten(make):
    backbone = make()
    x = tokens(backbone)
    whole = run(backbone, x)
    state = backbone.prefill(TEXTS, room=5)
    backbone.step(state, x[:, 0])
    kept = torch.tensor([2, 0])
    some = state.select(kept)
    assert len(some) == 2
    assert (backbone.step(some, x[kept, 1]) - whole[kept, 1]).abs().max() < 1e-5
    state.forget()
    every = torch.ones(3, 5, dtype=torch.bool)
    again = backbone.sequence(state, x[every], every).view_as(x)
    assert (again - whole).abs().max() < 1e-5


@pytest.mark.parametrize("make", BACKBONES)
def test_padding_changes_nothing(make):
    """Rows of other lengths, and other texts in the batch, do not show in a row's states."""
    backbone = make()
    x, real = tokens(backbone), places(5, 2, 3)
    together = run(backbone, x, real)
    for row, (text, length) in enumerate(zip(TEXTS, (5, 2, 3))):
        alone = torch.ones(1, length, dtype=torch.bool)
        state = backbone.prefill([text])
        found = backbone.sequence(state, x[row, :length], alone)
        assert (found - together[row, :length]).abs().max() < 1e-5


@pytest.mark.parametrize("make", BACKBONES)
def test_gradient_reaches_the_tokens_and_no_weight(make):
    backbone = make()
    x = tokens(backbone).requires_grad_()
    run(backbone, x)[:, -1, 0].sum().backward()
    assert (x.grad[:, 0].abs().sum(-1) > 0).all()  # the last token saw the first
    assert all(p.grad is None for p in backbone.module.parameters())


def test_text_states_are_those_of_the_plain_encoder():
    torch.manual_seed(0)
    plain, ours = Bert(TINY), PrefixBert(TINY)
    ours.load_published(plain.state_dict())
    ids, mask = load_tiny().tokenizer.batch(TEXTS)
    pooled = ours.prefill(ids, mask, 0).pooled
    assert (pooled - mean_pool(plain(ids, mask), mask)).abs().max() < 1e-5


@needs_minilm
def test_minilm_reads_as_the_sentence_encoder_does():
    from ppp.language.encoders.minilm import MiniLM

    assert (minilm().prefill(TEXTS).pooled - MiniLM.load().encode(TEXTS)).abs().max() < 1e-5


@needs_minilm
def test_bfloat16_is_near():
    x = tokens(minilm())
    near = run(load_backbone("minilm"), x)
    assert (near - run(minilm(), x)).abs().max() < 0.15


@needs_minilm
def test_a_changed_weights_file_is_refused(tmp_path):
    from ppp.language.encoders.minilm import find_weights

    for name in ("vocab.txt", "config.json"):
        (tmp_path / name).write_bytes((find_weights() / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(PPPError, match="is not the expected"):
        load_backbone("minilm", str(tmp_path))


def test_hash_sees_every_weight():
    module = tiny().module
    before = weights_hash(module)
    assert before == weights_hash(tiny().module)
    with torch.no_grad():
        module.layers[1].down.bias[0] += 1e-6
    assert weights_hash(module) != before


def test_embeds_as_many_tokens_as_the_mask_says():
    vectors, mask = tiny().embed(TEXTS)
    assert vectors.shape == (*mask.shape, 64)
    assert mask.sum(1).tolist() == [9, 15, 4]  # words and marks, with start and end


def test_unknown_names_are_told():
    with pytest.raises(PPPError, match="did you mean 'minilm'"):
        load_backbone("minlm")
    with pytest.raises(PPPError, match="precision"):
        load_backbone("tiny", precision="float8")
    with pytest.raises(PPPError, match="behind the colon"):
        load_backbone("causal:")


def test_a_folder_that_holds_no_model_is_told(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(PPPError, match="no causal model"):
        load_backbone(f"causal:{tmp_path}")
