"""The policies: what they see, what they are made of, what training changes."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from llarp_tools import TEXTS, needs_minilm, observations, places, policy

from ppp.llarp.backbones import load_backbone, weights_hash
from ppp.llarp.config import ImitationConfig, PpoConfig
from ppp.llarp.episodes import Choice, Episodes, Players, drawn
from ppp.llarp.gaze import FOUND, SIZE, Gaze
from ppp.llarp.heads import ActionHead, action_keys
from ppp.llarp.observation import Obs, ObservationEncoder, Seen, to_obs
from ppp.llarp.updates import imitate, improve, judged
from ppp.rearrangement import ACTIONS, LIMIT, NAMES, OBS, TaskEnv, make_tasks

EVERY = places(4, 4, 4)
KINDS = [{}, {"policy": "lstm"}, {"policy": "lstm-words"}, {"head": "text"}, {"head": "both"},
         {"critic": "separate"}, {"look": "first"}, {"remembers": False}, {"mode": "names"},
         {"gaze": True}, {"gaze": True, "look": "first"}, {"gaze": True, "remembers": False},
         {"gaze": True, "policy": "lstm"}, {"sentence": True, "policy": "lstm-words"},
         {"gaze": True, "sentence": True}, {"echo": False}]


def logits_of(one, obs, texts=TEXTS):
    """(3, 4, A) logits of four steps."""
    out, _ = one.sequence(one.begin(texts, 0), obs.pick(EVERY), EVERY)
    return out.detach().view(3, 4, -1)


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_steps_choose_as_whole_sequences_do(changes):
    one, obs = policy(**changes), observations(3, 4)
    memory = one.begin(TEXTS, LIMIT)
    steps = torch.stack([one.step(memory, Obs(*(p[:, t] for p in obs))) for t in range(4)], 1)
    assert steps.shape == (3, 4, len(ACTIONS))
    assert (steps - logits_of(one, obs)).abs().max() < 1e-5
    assert steps.std() > 0


def changed_later(obs):
    """The same but for what is seen from the third step on."""
    other = observations(3, 4, seed=9)
    return Obs(*(torch.cat([a[:, :2], b[:, 2:]], 1) for a, b in zip(obs, other)))


def test_what_each_ablation_sees():
    obs, every = observations(3, 4), slice(None)
    later, other = changed_later(obs), observations(3, 4, seed=5)

    def same(one, a, b, step=every):
        return torch.equal(logits_of(one, a)[:, step], logits_of(one, b)[:, step])

    assert not same(policy(), obs, later, 2)
    assert same(policy(look="first"), obs, later)
    assert not same(policy(look="first"), obs, other)
    assert same(policy(look="none"), obs, other)
    swapped = Obs(*(part.flip(1) for part in obs))
    forgets = policy(remembers=False)
    assert torch.equal(logits_of(forgets, obs), logits_of(forgets, swapped).flip(1))
    assert not torch.allclose(logits_of(policy(), obs), logits_of(policy(), swapped).flip(1))


@pytest.mark.parametrize("kind", [{"gaze": True}, {"policy": "lstm"}], ids=str)
def test_without_an_echo_the_last_action_cannot_be_told(kind):
    """Two impossible actions change nothing but what is said of them, and the time."""
    env = TaskEnv()
    env.reset(make_tasks("train", 1, 0)[0])
    idle = [i for i in range(len(ACTIONS)) if not env.valid()[i]]
    other = next(i for i in idle if ACTIONS[i].skill != ACTIONS[idle[0]].skill)
    seen = [to_obs([part[None] for part in env.step(action)[0]]) for action in (idle[0], other)]

    def choices(one):
        return [one.step(one.begin(TEXTS[:1], 1), obs) for obs in seen]

    assert not torch.equal(*choices(policy(**kind)))
    assert torch.equal(*choices(policy(echo=False, **kind)))


def test_a_second_look_does_not_see_more_than_its_ablation_may():
    obs, other = observations(3, 4), observations(3, 4, seed=5)
    nowhere = [part.clone() for part in obs]
    nowhere[1], nowhere[2] = 0 * nowhere[1], nowhere[2] & False
    assert not torch.equal(logits_of(policy(gaze=True), obs),
                           logits_of(policy(gaze=True), Obs(*nowhere)))
    blind, first = policy(gaze=True, look="none"), policy(gaze=True, look="first")
    assert torch.equal(logits_of(blind, obs), logits_of(blind, other))
    assert torch.equal(logits_of(first, obs), logits_of(first, changed_later(obs)))


def test_a_gaze_finds_the_entity_its_query_is_after():
    """Keys and queries are set by hand: every head looks for what is like the hidden state."""
    gaze = Gaze(SIZE, SIZE)
    like, copies = 40 * torch.eye(SIZE), torch.eye(SIZE).repeat(FOUND // SIZE, 1)
    with torch.no_grad():
        for part in (gaze.query[0], gaze.key, gaze.value):
            part.weight.copy_(copies)
            part.bias.zero_()
        gaze.query[2].weight.copy_(torch.block_diag(*[like] * (FOUND // SIZE)))
        gaze.query[2].bias.zero_()
    entities = torch.eye(SIZE)[:6].expand(2, 6, SIZE)
    mask = torch.tensor([[True] * 6, [True, True, True, False, True, True]])
    found = gaze(torch.eye(SIZE)[[3, 3]], Seen(torch.zeros(2, 1), entities, mask))
    assert (found[0].view(-1, SIZE).argmax(1) == 3).all()
    # what is masked is never found; the others and "nothing" share the look evenly then
    shares = found[1].view(-1, SIZE)[:, [0, 1, 2, 4, 5]]
    assert (found[1].view(-1, SIZE)[:, 3] < shares.amin(1)).all()
    assert (shares - shares.mean()).abs().max() < 1e-5


@pytest.mark.parametrize("changes", [{}, {"policy": "lstm"}, {"policy": "lstm-words"},
                                     {"gaze": True, "sentence": True}], ids=str)
def test_the_instruction_matters(changes):
    one, obs = policy(**changes), observations(3, 4)
    assert not torch.allclose(logits_of(one, obs), logits_of(one, obs, TEXTS[::-1]), atol=1e-6)


def test_order_of_entities_and_what_is_masked_do_not_matter():
    encoder = ObservationEncoder((OBS.S, OBS.E, OBS.F), 8, 0.05)
    obs = observations(5)
    order = torch.randperm(OBS.E, generator=torch.Generator().manual_seed(0))
    shuffled = obs._replace(entities=obs.entities[:, order], mask=obs.mask[:, order])
    assert (encoder(obs).token - encoder(shuffled).token).abs().max() < 1e-6
    junk = obs._replace(entities=torch.where(obs.mask[..., None], obs.entities,
                                             torch.full_like(obs.entities, 7.0)))
    assert torch.equal(encoder(obs).token, encoder(junk).token)
    assert encoder(obs).token.std(-1).mean().item() == pytest.approx(0.05, rel=0.1)


def test_names_are_seen_only_in_their_mode():
    obs = observations(3, 4)
    renamed = obs._replace(names=(obs.names + 1) % len(NAMES) * obs.mask)
    assert torch.equal(logits_of(policy(), obs), logits_of(policy(), renamed))
    by_name = policy(mode="names")
    assert not torch.equal(logits_of(by_name, obs), logits_of(by_name, renamed))


def test_text_head_prefers_the_phrase_its_query_points_at():
    phrases = torch.randn(6, 16, generator=torch.Generator().manual_seed(0)) + 3.0
    keys = action_keys(phrases)
    assert torch.allclose(keys.norm(dim=1), torch.ones(6))
    assert keys.mean(0).norm() < 0.2 < phrases.mean(0).norm()
    head = ActionHead(8, 6, "text", keys=keys)
    with torch.no_grad():
        head.query.weight.zero_()
        head.query.bias.copy_(9 * keys[4])
    assert int(head.logits(torch.randn(512)).argmax()) == 4


def test_a_separate_critic_sends_nothing_into_the_adapters():
    for critic, reached in (("separate", False), ("shared", True)):
        one = policy(critic=critic, gaze=True)
        _, values = one.sequence(one.begin(TEXTS, 0), observations(3, 4).pick(EVERY), EVERY)
        values.sum().backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0
                   for p in one.encoder.parameters()) is reached


def test_only_adapters_are_saved_unless_the_backbone_is_trained():
    assert all(name.startswith(("encoder.", "head.")) for name in policy().state_dict())


@needs_minilm
def test_the_untrained_backbone_is_trained_and_saved():
    one = policy(backbone="scratch")
    assert any(name.startswith("language.") for name in one.state_dict())
    logits, _ = one.sequence(one.begin(TEXTS[:1], 0), observations(4), places(4))
    logits.sum().backward()
    # its word vectors and the rest take part
    assert one.language.embeddings.word_embeddings.weight.grad.abs().sum() > 0
    fixed = policy(backbone="scratch-frozen")
    assert not any(name.startswith("language.") for name in fixed.state_dict())


def episodes_of(one, count=6, **choice) -> Episodes:
    return Players().play(one, make_tasks("train", count, 1), 3, Choice(**choice))


def test_episodes_are_those_of_the_seed_and_are_led_as_asked():
    one = policy()
    a, b = episodes_of(one), episodes_of(one)
    assert torch.equal(a.actions, b.actions) and torch.equal(a.lengths, b.lengths)
    led = episodes_of(one, expert=np.ones(6), ask=True)
    assert led.success.all()
    assert torch.equal(led.actions[led.real], led.labels[led.real])
    asked = episodes_of(one, ask=True)
    assert (asked.labels[asked.real] >= 0).all()
    assert (asked.actions != asked.labels)[asked.real].any()
    assert (episodes_of(one).labels == -1).all()


def test_actions_are_drawn_by_their_probabilities():
    logits = np.log(np.tile([[0.7, 0.2, 0.1]], (20_000, 1)))
    counts = np.bincount(drawn(logits, np.random.default_rng(0)), minlength=3) / 20_000
    assert np.abs(counts - [0.7, 0.2, 0.1]).max() < 0.02


@pytest.mark.parametrize("changes", [{}, {"policy": "lstm"}], ids=str)
def test_ratio_is_one_at_the_first_minibatch(changes):
    one = policy(**changes)
    episodes = episodes_of(one)
    optimiser = torch.optim.AdamW(one.parameters(), 1e-3)
    info = improve(one, None, optimiser, episodes, PpoConfig(minibatches=2, epochs=2),
                   np.random.default_rng(0))
    assert info["first_ratio_off"] < 1e-5
    assert info["ratio_off"] > 1e-4  # later ones have moved


@needs_minilm
def test_ratio_is_one_in_bfloat16_too():
    one = policy(backbone="minilm", precision="bfloat16")
    optimiser = torch.optim.AdamW(one.parameters(), 1e-3)
    info = improve(one, None, optimiser, episodes_of(one, 4), PpoConfig(minibatches=2),
                   np.random.default_rng(0))
    assert info["first_ratio_off"] < 1e-3


def test_log_probabilities_are_those_the_actions_were_drawn_with():
    """In float32 the roll-out's steps and the update's pass agree: no mismatch of cache or place.
    """
    one = policy()
    tasks = make_tasks("train", 5, 1)
    episodes = Players().play(one, tasks, 3)
    batch = judged(one, None, episodes, PpoConfig())
    memory = one.begin([task.instruction for task in tasks], LIMIT)
    real, found = episodes.real, []
    for t in range(real.shape[1]):
        logits = one.step(memory, Obs(*(part[:, t] for part in episodes.obs)))
        found.append(logits.log_softmax(-1).gather(1, episodes.actions[:, t:t + 1])[:, 0])
    assert (torch.stack(found, 1)[real] - batch.log_probs).abs().max() < 1e-5


def test_updates_change_the_adapters_and_never_the_backbone():
    one = policy(critic="separate")
    before = weights_hash(one.backbone.module)
    start = {name: value.clone() for name, value in one.state_dict().items()}
    optimiser = torch.optim.AdamW(one.parameters(), 1e-3)
    episodes = episodes_of(one, ask=True)
    chance = np.random.default_rng(0)
    imitate(one, optimiser, episodes, ImitationConfig(batch=3), chance)
    middle = {name: value.clone() for name, value in one.state_dict().items()}
    improve(one, None, optimiser, episodes, PpoConfig(minibatches=2), chance, value_only=True)
    changed = {name for name, value in one.state_dict().items()
               if not torch.equal(value, middle[name])}
    assert changed and all(name.startswith("head.critic") for name in changed)
    assert all(not torch.equal(start[name], middle[name]) for name in start
               if name.endswith("weight") and "critic" not in name)
    assert weights_hash(one.backbone.module) == before
    assert before == weights_hash(load_backbone("tiny").module)


def test_errors_of_a_separate_critic_do_not_slow_the_policy():
    """With one norm over both, a value loss of a thousand times the weight would take it all."""
    moved = []
    for value in (0.5, 500.0):
        one = policy(critic="separate")
        optimiser = torch.optim.SGD(one.parameters(), 1.0)
        improve(one, None, optimiser, episodes_of(one), PpoConfig(minibatches=1, epochs=1,
                value=value, grad_norm=1e-3), np.random.default_rng(0))
        moved.append({name: p for name, p in one.state_dict().items()
                      if "critic" not in name})
    assert all(torch.equal(a, moved[1][name]) for name, a in moved[0].items())
    fresh = policy(critic="separate").state_dict()
    assert any(not torch.equal(a, fresh[name]) for name, a in moved[0].items())
