"""Which skill is this? A small network trained on the clips' own frames, in seconds.

It sees a second of discriminator frames (ten a second, :func:`ppp.humanoid.observation
.discriminator_frame`): the motion alone, without target, command, heading or place. It is trained
on the loops (and on clips of skills that have none); starts and stops look like their neighbours.

Poses alone would give most skills away: a statue in the pose of a kick would be taken for one. So
there is one class more, ``none``, of poses of moving clips that are held, mixed or hardly moved.
"""
from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

import torch
from torch import Tensor, nn

from ppp.humanoid.observation import DISCRIMINATOR_SIZE, FRAME
from ppp.motion.library import MotionLibrary

#: a window has this many frames, this many control steps apart: one second in all
SAMPLES, STRIDE = 11, 3
#: control steps from the first frame of a window to its last
SPAN = (SAMPLES - 1) * STRIDE
#: training windows are played faster and slower by up to this
WARP = 0.15
#: noise on standardised frames, standard deviations: of a whole window, of each frame
BIAS_NOISE, FRAME_NOISE = 0.3, 0.1
#: share of a clip's windows kept from training
HELD_OUT = 0.2
#: who rises is getting up until the pelvis is here at the beginning of the window, m
RISEN = 0.7
#: ground speed of a skill on the spot, m/s; a gait's may differ from its loops by this factor
STILL_SPEED, SPEED_FACTOR = 0.15, 1.5
#: the class of motions that are no skill, and its share of the training windows
NONE, NONE_SHARE = "none", 0.25
#: up to this pace a motion counts as held, and clips with joints slower than this have no such
#: windows: to stand idle or hold a shield up is to keep still, rad/s (rms)
HELD_PACE, MOVING = 0.3, 0.35
_VELOCITIES = ("linear", "angular", "joint_vel")
#: columns of a frame whose movement is looked at: the pose; velocities jitter in the simulator as
#: they do not in clips, so the root's count by their mean alone and the joints' not at all
_POSE = torch.cat([torch.arange(DISCRIMINATOR_SIZE)[FRAME[name]]
                   for name in ("height", "rotation", "joints", "keys")])
_MEAN = torch.cat([_POSE] + [torch.arange(DISCRIMINATOR_SIZE)[FRAME[name]]
                             for name in ("linear", "angular")])


class Clips(NamedTuple):
    """Clips as rows of one table: for clip c the frames start[c] ... start[c] + length[c] - 1."""

    frames: Tensor  # (F, 140)
    start: Tensor  # (C,)
    length: Tensor  # (C,)
    loop: Tensor  # (C,) bool
    skill: Tensor  # (C,)
    names: List[str]


class SkillClassifier(nn.Module):
    """Windows (N, 11, 140) of frames 0.1 s apart -> logits (N, K + 1): ``skills``, then none."""

    def __init__(self, skills: Sequence[str], mean: Tensor, scale: Tensor, hidden: int = 96
                 ) -> None:
        super().__init__()
        self.skills = list(skills)
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())
        self.net = nn.Sequential(nn.Linear(len(_MEAN) + 2 * len(_POSE), hidden), nn.ReLU(),
                                 nn.Dropout(0.3), nn.Linear(hidden, len(self.skills) + 1))

    def forward(self, windows: Tensor) -> Tensor:
        """Logits (N, K + 1).

        Of the pose the mean, the spread and the mean change over the window, of the root's
        velocities the mean. What phase the motion is in does not matter, so that moments between
        those of the clips are recognised: the frames in their order gave 0.87 to 0.89 on held-out
        windows, these give 0.99; with the spread of all velocities too, a walk in an older style
        was taken for getting up.
        """
        x = ((windows - self.mean) / self.scale).clamp(-5.0, 5.0)
        pose = x[..., _POSE]
        change = (pose[:, 1:] - pose[:, :-1]).square().mean(1).sqrt()
        return self.net(torch.cat((x[..., _MEAN].mean(1), pose.std(1), change), -1))

    @torch.no_grad()
    def probabilities(self, windows: Tensor) -> Tensor:
        """Probabilities (N, K + 1) of the skills and of none for windows (N, 11, 140)."""
        return self(windows).softmax(-1)

    @torch.no_grad()
    def recognise(self, frames: Tensor, ends: Sequence[int]) -> Tensor:
        """Most likely skills (E, N) of the windows of ``frames`` (T, N, 140) ending at ``ends``.

        frames: one a control step; each end is at least SPAN.
        """
        return torch.stack([self(window_at(frames, end)).argmax(-1) for end in ends])


def window_at(frames: Tensor, end: int) -> Tensor:
    """The window (N, 11, 140) that ends at row ``end`` of frames (T, N, 140)."""
    return frames[end - SPAN:end + 1:STRIDE].transpose(0, 1)


def clips_of(library: MotionLibrary) -> Clips:
    """All clips of a library."""
    count = len(library.entries)
    length = torch.bincount(library.clip, minlength=count)
    skill = torch.tensor([library.skills.index(e.skill) for e in library.entries])
    return Clips(library.frame, length.cumsum(0) - length, length,
                 torch.tensor([e.loop for e in library.entries]), skill,
                 [e.file for e in library.entries])


def cut(clips: Clips, clip: Tensor, end: Tensor, pace: Tensor) -> Tensor:
    """Windows (n, 11, 140) of clips (n,) that end at time ``end`` (n,), control steps into them.

    pace (n,): how much faster than in the clip the motion goes; velocities grow with it. Before
    the beginning of a clip that is no loop its first frame stays.
    """
    back = STRIDE * torch.arange(SAMPLES - 1, -1, -1)
    time = end[:, None] - pace[:, None] * back
    length, loop = clips.length[clip][:, None], clips.loop[clip][:, None]
    time = torch.where(loop, time % length, torch.minimum(time.clamp_min(0.0), length - 1.0))
    low = time.floor()
    high = torch.where(loop, (low + 1) % length, torch.minimum(low + 1, length - 1.0))
    share, start = (time - low)[..., None], clips.start[clip][:, None]
    before, after = clips.frames[start + low.long()], clips.frames[start + high.long()]
    windows = torch.lerp(before, after, share)
    for name in _VELOCITIES:
        windows[..., FRAME[name]] *= pace[:, None, None]
    return windows


def trained_on(clips: Clips) -> Tensor:
    """The clips to train on, (C,) bool: loops, and all clips of a skill without one."""
    looped = set(clips.skill[clips.loop].tolist())
    loopless = torch.tensor([int(s) not in looped for s in clips.skill])
    return clips.loop | loopless


def window_ends(clips: Clips, clip: int, held_out: bool) -> Tensor:
    """Ends of the windows of a clip, control steps: those held out, or the others, (n,).

    A block of HELD_OUT of the clip is held out, a little before its end; a clip that is no loop
    (getting up) counts until it has risen.
    """
    ends = torch.arange(int(clips.length[clip])).float()
    if not clips.loop[clip]:
        first = clips.frames[clips.start[clip] + (ends - SPAN).clamp_min(0).long()]
        ends = ends[first[:, 0] < RISEN]
    low = int((0.9 - HELD_OUT) * len(ends))
    high = low + max(1, int(HELD_OUT * len(ends)))
    return ends[low:high] if held_out else torch.cat((ends[:low], ends[high:]))


def train_classifier(library: MotionLibrary, seed: int = 0, steps: int = 300, batch: int = 256,
                     without: Sequence[int] = ()) -> SkillClassifier:
    """A classifier for the library's skills; the same seed gives the same one.

    without: clips to leave out (their numbers in ``library.entries``).
    """
    clips = clips_of(library)
    use = trained_on(clips)
    use[list(without)] = False
    rows = [(c, float(t)) for c in use.nonzero().flatten().tolist()
            for t in window_ends(clips, c, held_out=False)]
    clip = torch.tensor([c for c, _ in rows])
    end = torch.tensor([t for _, t in rows])
    # every skill counts the same, and within it every clip
    skill_clips = torch.bincount(clips.skill[use], minlength=len(library.skills)).float()
    weight = 1.0 / (torch.bincount(clip)[clip] * skill_clips[clips.skill[clip]])
    mean, scale, none = library.frame.mean(0), library.scale, int(NONE_SHARE * batch)
    moving = _moving(library, clips)[clip] * weight
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        net = SkillClassifier(library.skills, mean, scale)
        optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * (1.0 - step / steps) + 1e-5
            pick = torch.multinomial(weight, batch - none, replacement=True)
            windows = torch.cat((_played(clips, clip[pick], end[pick]),
                                 _held(clips, clip, end, weight, moving, none)))
            label = torch.cat((clips.skill[clip[pick]], torch.full((none,), len(net.skills))))
            loss = nn.functional.cross_entropy(net(_noisy(windows, scale)), label)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return net.eval()


def _moving(library: MotionLibrary, clips: Clips) -> Tensor:
    """Clips in which to keep still is not to perform, (C,) bool."""
    speed = library.joint_vel.square().mean(-1)
    rms = torch.zeros(len(clips.length)).index_add_(0, library.clip, speed) / clips.length
    # who gets up lies still at first
    return (rms.sqrt() > MOVING) & ~library.may_lie[clips.skill]


def _played(clips: Clips, clip: Tensor, end: Tensor) -> Tensor:
    """Windows at another pace, starting between two frames."""
    pace = 1.0 + WARP * (2.0 * torch.rand(len(clip)) - 1.0)
    return cut(clips, clip, end + torch.rand(len(clip)) - 0.5, pace)


def _held(clips: Clips, clip: Tensor, end: Tensor, weight: Tensor, moving: Tensor, count: int
          ) -> Tensor:
    """Windows (count, 11, 140) of none: moving clips held, half of them mixed with any other."""
    pace = HELD_PACE * torch.rand(count) * (torch.rand(count) < 0.5)
    first, second = (torch.multinomial(w, count, replacement=True) for w in (moving, weight))
    windows = cut(clips, clip[first], end[first], pace)
    other = cut(clips, clip[second], end[second], pace)
    share = 0.6 * torch.rand(count, 1, 1) * (torch.rand(count, 1, 1) < 0.5)
    return torch.lerp(windows, other, share)


def _noisy(windows: Tensor, scale: Tensor) -> Tensor:
    """Windows with noise on all of their frames, and more or less of it on each."""
    noise = BIAS_NOISE * torch.randn(len(windows), 1, DISCRIMINATOR_SIZE)
    shaky = FRAME_NOISE * torch.rand(len(windows), 1, 1).square()
    return windows + scale * (noise + shaky * torch.randn_like(windows))


def ceiling(net: SkillClassifier, library: MotionLibrary) -> Dict[str, object]:
    """How many held-out windows of real clips the classifier recognises.

    ``phases``: unseen moments of the clips it knows; ``clips``: clips it never saw (gaits of
    changing pace and direction, the steady part of starts and stops); ``per_skill``: of both;
    ``ceiling``: the mean over the skills; ``statues_refused``: of the single poses of moving loops,
    held for a second, those not taken for the skill. Shares 0 to 1; windows without noise.
    """
    clips = clips_of(library)
    known = trained_on(clips)
    right: Dict[str, List[Tensor]] = {"phases": [], "clips": []}
    by_skill: List[List[Tensor]] = [[] for _ in library.skills]
    for c in range(len(clips.length)):
        ends = window_ends(clips, c, True) if known[c] else _steady_ends(library, clips, c)
        if not len(ends):
            continue
        number = torch.full((len(ends),), c)
        hit = (net(cut(clips, number, ends, torch.ones(len(ends)))).argmax(-1)
               == clips.skill[c]).float()
        right["phases" if known[c] else "clips"].append(hit)
        by_skill[int(clips.skill[c])].append(hit)
    per_skill = {name: float(torch.cat(hits).mean())
                 for name, hits in zip(library.skills, by_skill) if hits}
    out: Dict[str, object] = {name: float(torch.cat(hits).mean()) if hits else 1.0
                              for name, hits in right.items()}
    out["statues_refused"] = _statues_refused(net, library, clips)
    return {**out, "per_skill": per_skill, "ceiling": sum(per_skill.values()) / len(per_skill)}


def _statues_refused(net: SkillClassifier, library: MotionLibrary, clips: Clips) -> float:
    """How many poses of moving loops, held for a second, are not taken for their skill."""
    refused = []
    for c in (_moving(library, clips) & clips.loop).nonzero().flatten().tolist():
        ends = torch.arange(int(clips.length[c])).float()
        windows = cut(clips, torch.full((len(ends),), c), ends, torch.zeros(len(ends)))
        refused.append((net(windows).argmax(-1) != clips.skill[c]).float().mean())
    return float(torch.stack(refused).mean()) if refused else 1.0


def _steady_ends(library: MotionLibrary, clips: Clips, clip: int) -> Tensor:
    """Ends of windows of a clip outside training in which the skill is kept up, (n,)."""
    if int(clips.length[clip]) <= SPAN:
        return torch.zeros(0)
    ends = torch.arange(SPAN, int(clips.length[clip])).float()
    windows = cut(clips, torch.full((len(ends),), clip), ends, torch.ones(len(ends)))
    speed = windows[..., FRAME["linear"]][..., :2].norm(dim=-1)
    wanted = library.speed[clips.skill[clip]]
    if bool(library.travels[clips.skill[clip]]):
        mean = speed.mean(-1)
        return ends[(mean * SPEED_FACTOR > wanted) & (mean < wanted * SPEED_FACTOR)]
    return ends[(speed < STILL_SPEED).all(-1)]


def unseen_variants(library: MotionLibrary, seed: int = 0) -> float:
    """Accuracy on whole loops left out of training, each skill keeping another one, 0 to 1.

    The n-th loop of every skill that has more is left out, for n = 0, 1, 2: a new variant of an
    act is a new motion, so this says how far the classifier generalises, not how well it reads
    the motions that the policy has learnt.
    """
    clips, hits = clips_of(library), []
    order: List[List[int]] = [[] for _ in library.skills]
    for c in clips.loop.nonzero().flatten().tolist():
        order[int(clips.skill[c])].append(c)
    for fold in range(3):
        left_out = [mine[fold] for mine in order if len(mine) > max(1, fold)]
        if not left_out:
            continue
        net = train_classifier(library, seed, without=left_out)
        for c in left_out:
            ends = torch.arange(int(clips.length[c])).float()
            logits = net(cut(clips, torch.full((len(ends),), c), ends, torch.ones(len(ends))))
            hits.append((logits.argmax(-1) == clips.skill[c]).float().mean())
    return float(torch.stack(hits).mean()) if hits else 1.0
