"""An eighth set of held-out answers to lesson 08: rollouts, plans and choices with a step of their bookkeeping in the wrong place."""

import torch

from autograde.authoring.strength.mutation import misconception


@misconception("rollout_return", "the policy is asked about the place before the last")
def one_place_behind(sample, policy, obs, action, depth, gamma):
    total = 0.0
    for t in range(depth):
        outcome = sample(obs, action)
        if outcome is None:
            break
        reward, following, ended = outcome
        total += gamma**t * reward
        if ended:
            break
        action, obs = policy(obs), following
    return total


@misconception("sample_outcome", "The malformed text is appended to the prompt of the next attempt; each attempt starts anew.")
def conversation(generate, obs, action, attempts=3):
    prompt = f"<obs> {obs} <act> {action} <out>"
    for _ in range(attempts):
        text = generate(prompt)
        parts = [part.strip() for part in text.split("|")]
        prompt += text
        if len(parts) == 3 and parts[1] and parts[2] in ("end", "go"):
            return float(parts[0]), parts[1], parts[2] == "end"
    return None


@misconception("choose_action", "The scores are multiplied by the temperature: a high temperature should flatten, so divide.")
def warmer_is_surer(model, prompt_ids, candidates, generator, temperature=0.0):
    scores = []
    for ids in candidates:
        logits, _ = model(torch.cat([prompt_ids, ids])[None])
        rows = logits[0, len(prompt_ids) - 1 : -1].log_softmax(-1)
        scores.append(rows.gather(-1, ids[:, None]).mean())
    scores = torch.stack(scores)
    if temperature == 0:
        return int(scores.argmax())
    return int(torch.multinomial((scores * temperature).softmax(-1), 1, generator=generator))
