"""Rewards instead of targets."""

from __future__ import annotations

import copy
import random

import torch
from torch import nn
from torch.nn import functional as F

from calibration.zoo.program import healthy


@healthy(good=0.8)
def bandit_with_context():
    """REINFORCE with a running baseline: four arms, the best one depends on the context."""
    best = torch.randn(5, 4)
    policy = nn.Linear(5, 4)
    opt = torch.optim.Adam(policy.parameters(), lr=2e-2)
    baseline = 0.0
    for _ in range(400):
        context = torch.randn(64, 5)
        choice = torch.distributions.Categorical(logits=policy(context))
        arm = choice.sample()
        reward = ((context @ best).argmax(1) == arm).float()
        loss = -((reward - baseline) * choice.log_prob(arm)).mean() - 0.01 * choice.entropy().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        baseline = 0.9 * baseline + 0.1 * float(reward.mean())
    return baseline


@healthy(good=0.9)
def way_through_a_grid():
    """Q-learning with replay and a target network on a corridor of ten places."""
    eye = torch.eye(10)
    q = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))
    target = copy.deepcopy(q)
    opt = torch.optim.Adam(q.parameters(), lr=5e-3)
    memory, place, eps = [], 4, 1.0
    for step in range(1000):
        with torch.no_grad():
            greedy = int(q(eye[place]).argmax())
        action = random.randrange(2) if random.random() < eps else greedy
        after = max(0, place - 1) if action == 0 else place + 1
        done = after == 9
        memory.append((place, action, float(done), after, done))
        place = random.randrange(9) if done else after
        eps = max(0.2, eps - 0.002)
        if len(memory) < 64 or step % 2:
            continue
        p, a, r, n, d = map(torch.tensor, zip(*random.sample(memory[-600:], 48), strict=True))
        with torch.no_grad():
            goal = r + 0.9 * target(eye[n]).max(1).values * ~d
        guess = q(eye[p]).gather(1, a[:, None]).squeeze(1)
        loss = F.smooth_l1_loss(guess, goal)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 50 == 0:
            target.load_state_dict(q.state_dict())
    with torch.no_grad():
        return (q(eye[:9]).argmax(1) == 1).float().mean()


@healthy(good=0.7)
def actor_and_critic():
    """Keeps a number near 0; the return is scaled so that 1 is best."""
    actor, critic = (
        nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 2)),
        nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)),
    )
    opt = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=1e-2)
    for _ in range(150):
        state, logs, values, rewards = torch.randn(32, 1), [], [], []
        for _ in range(10):
            policy = torch.distributions.Categorical(logits=actor(state))
            action = policy.sample()
            logs.append(policy.log_prob(action))
            values.append(critic(state).squeeze(1))
            state = state + 0.4 * (action[:, None] * 2.0 - 1) + 0.05 * torch.randn(32, 1)
            rewards.append((-state.abs().squeeze(1)).clamp(min=-2))
        total, returns = torch.zeros(32), []
        for reward in reversed(rewards):
            total = reward + 0.9 * total
            returns.insert(0, total)
        returns, values = torch.stack(returns), torch.stack(values)
        advantage = returns - values.detach()
        loss = -(advantage * torch.stack(logs)).mean() + 0.5 * F.mse_loss(values, returns)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return 1 + float(torch.stack(rewards)[-3:].mean())


@healthy(good=0.9)
def imitation():
    states = torch.randn(1500, 4)
    expert = (states @ torch.tensor([1.0, -2.0, 0.5, 0.0]) > 0).long()
    policy = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2), nn.LogSoftmax(-1))
    opt = torch.optim.Adam(policy.parameters(), lr=3e-3)
    for _ in range(8):
        for i in torch.randperm(1200).split(40):
            opt.zero_grad()
            F.nll_loss(policy(states[i]), expert[i]).backward()
            opt.step()
    with torch.no_grad():
        return (policy(states[1200:]).argmax(1) == expert[1200:]).float().mean()
