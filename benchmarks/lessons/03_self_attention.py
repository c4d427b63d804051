"""Lesson 03's numbers: agreement with and without looking back, position as the rival of syntax, the scale's effect on gradients, memory."""

from dataclasses import replace

import torch

from autograde.authoring.measuring.experiments import experiment


def tested(lesson, model):
    """Right verbs in sentences of either order, distracted ones apart, and the weight on the subject."""
    found = {}
    for order, data in lesson.held_out_sentences().items():
        distracted, other, on_subject = lesson.examine(model, data)
        found[order] = {"distracted": distracted, "other": other, "on_subject": on_subject}
    return found


@experiment("looks_back", steps=400)
def looks_back(lesson, seed):
    """Trained on subjects that come first: with all earlier words, and with each word alone."""
    return {name: tested(lesson, lesson.train(sees, seed=seed)[0]) for name, sees in (("all", True), ("itself", False))}


@experiment("both_orders", seeds=range(20), steps=800)
def both_orders(lesson, seed):
    """Trained on sentences in which the phrase comes before the subject or after it, and whether both orders are learned: some runs end with one."""
    found = tested(lesson, lesson.train(True, steps=800, seed=seed, fronted=0.5)[0])
    return {**found, "learned": float(min(order["distracted"] for order in found.values()) > 0.9)}


@experiment("explained", steps=400)
def explained(lesson, seed):
    """How much of the gap between the two losses is the verb's, and whether phrases of known words alone are read any better."""
    looks_back, alone = (lesson.train(sees, seed=seed)[0] for sees in (True, False))
    data = lesson.agreement.sentences(2000, torch.Generator().manual_seed(1000 + seed))
    gap = [one - other for one, other in zip(word_losses(lesson, alone, data), word_losses(lesson, looks_back, data))]
    unknown = lesson.held_out_sentences()["phrase_first"]
    ids = unknown.ids.clone()
    ids[:, 0] = lesson.agreement.NUMBER["The"]  # for *Near*, *Behind* and *With*, which training never shows
    return {"gap": gap[0], "of_verbs": gap[1] / gap[0], "known_words": lesson.examine(looks_back, replace(unknown, ids=ids))[0]}


def word_losses(lesson, model, data):
    """The loss per word, in nats: all of it, and the part of it at *is* and *are* that are verbs."""
    with torch.no_grad():
        logits, _ = model(data.ids, data.lengths)
    following = data.ids[:, 1:]
    losses = lesson.F.cross_entropy(logits[:, :-1].mT, following, ignore_index=0, reduction="none")
    n_words = (following != 0).sum()
    return float(losses.sum() / n_words), float(losses[torch.arange(len(data)), data.verb - 1].sum() / n_words)


@experiment("scale", sentences=200)
def scale(lesson, seed):
    """How much less passes the softmax without the division, by d_k and length; the queries' own gradients then; the largest of ten weights."""
    found = {}
    for d in (64, 256):
        q, k, v, grad = torch.randn(4, 200, 10, d, generator=torch.Generator().manual_seed(seed))
        divided, undivided = (lengths_of_dq(lesson, q * factor, k, v, grad) for factor in (1, d**0.5))
        scores = lesson.attention_scores(q, k)
        found[d] = {
            "smaller": float(divided.median() / undivided.median()),
            "by_length": {n: less_passes(lesson, d, n, seed) for n in (3, 50)},
            # the reference's dq is divided by √d once more than that of a layer that never divides
            "undivided": {
                name: float(of(d**0.5 * undivided) / of(divided)) for name, of in (("median", torch.median), ("average", torch.mean))
            },
            "size": float(scores.std()),
            "raw_size": float((scores * d**0.5).std()),
            "largest": {n: float((scores * factor).softmax(-1).amax(-1).mean()) for n, factor in (("with", 1), ("without", d**0.5))},
        }
    return found


def lengths_of_dq(lesson, q, k, v, grad):
    return lesson.attention_backward(q, k, v, grad)[0].norm(dim=-1)


def less_passes(lesson, d, n, seed):
    """How many times smaller the median gradient is at factor √d, in sentences of `n` words."""
    q, k, v, grad = torch.randn(4, 200, n, d, generator=torch.Generator().manual_seed(seed))
    divided, undivided = (lengths_of_dq(lesson, q * factor, k, v, grad).median() for factor in (1, d**0.5))
    return float(divided / undivided)


@experiment("look_up", steps=300)
def look_up(lesson, seed):
    """Right answers of a layer that must find one of ten words of unit size and tell its label, with the division and without."""
    return {d: {name: looked_up(lesson, d, factor, seed) for name, factor in (("divided", 1.0), ("undivided", d**0.5))} for d in (64, 256)}


def looked_up(lesson, d, factor, seed, steps=300, n_words=50, n=10, n_labels=8):
    """The share of right answers in the last twenty steps: the query is the word that is sought, the values are the words' labels."""
    generator = torch.Generator().manual_seed(seed)
    words, labels = torch.randn(n_words, d, generator=generator), torch.randn(n_labels, d, generator=generator)
    matrices = [torch.randn(d, size, generator=generator) * d**-0.5 for size in (d, d, n_labels)]
    w_q, w_k, predict, labels = (x.requires_grad_() for x in (*matrices, labels))
    optimizer, right = torch.optim.Adam([w_q, w_k, predict, labels], lr=1e-3), []
    for _ in range(steps):
        ids = torch.rand(64, n_words, generator=generator).argsort(1)[:, :n]
        has, sought = torch.randint(n_labels, (64, n), generator=generator), torch.randint(n, (64, 1), generator=generator)
        query = words[ids.gather(1, sought)] @ w_q * factor
        found, _ = lesson.scaled_dot_product_attention(query, words[ids] @ w_k, labels[has])
        logits, answers = found.squeeze(1) @ predict, has.gather(1, sought).squeeze(1)
        optimizer.zero_grad()
        lesson.F.cross_entropy(logits, answers).backward()
        optimizer.step()
        right.append(float((logits.argmax(-1) == answers).double().mean()))
    return sum(right[-20:]) / 20


@experiment("look_up_longer", steps=1200)
def look_up_longer(lesson, seed):
    """The layer without the division, trained four times as long: does it never learn, or late?"""
    return {d: looked_up(lesson, d, d**0.5, seed, steps=1200) for d in (64, 256)}


@experiment("both_orders_shorter", seeds=range(20), steps=400)
def both_orders_shorter(lesson, seed):
    """As `both_orders`, trained half as long."""
    found = tested(lesson, lesson.train(True, steps=400, seed=seed, fronted=0.5)[0])
    return {"learned": float(min(order["distracted"] for order in found.values()) > 0.9)}


@experiment("memory", seeds=(0,), length=2048)
def memory(lesson, seed):
    """Peak memory at 2,048 words in T × T matrices, plain and streaming, and how it grows from 1,024."""

    def peak(attend, n):
        return lesson.measure(attend, *torch.randn(3, n, 64, generator=torch.Generator().manual_seed(1)), repeats=1).peak_bytes

    found = {}
    for name, attend in (("plain", lesson.scaled_dot_product_attention), ("streaming", lesson.in_blocks)):
        at = [peak(attend, n) for n in (1024, 2048)]
        found[name] = {"matrices": at[1] / (4 * 2048**2), "growth": at[1] / at[0]}
    return found
