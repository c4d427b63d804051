"""Answers to lesson 07 after public code, forums and issue trackers, wrong and right: what people really write."""

import torch

from autograde.authoring.strength.mutation import misconception, variant

misconception("get_batch", "y two tokens later", replace=("ids[positions + 1]", "ids[(positions + 2) % len(ids)]"))

misconception("get_batch", "windows stay in the first half", replace=("torch.randint(n_starts,", "torch.randint(max(1, n_starts // 2),"))

misconception(
    "get_batch", "y is one shorter", replace=("return ids[positions], ids[positions + 1]", "return ids[positions], ids[positions][:, 1:]")
)

misconception(
    "get_batch",
    "windows one behind the other",
    replace=(
        "starts = torch.randint(n_starts, (batch_size, 1), generator=generator)",
        "starts = (int(torch.randint(n_starts, (), generator=generator)) + torch.arange(batch_size)[:, None] * block_size) % n_starts",
    ),
)

# tamangmilan/llama3#1: an end token at the end of y
misconception("get_batch", "the last target is the first of the window", replace=("ids[positions + 1]", "ids[positions].roll(-1, 1)"))

misconception(
    "get_batch", "transposed", replace=("return ids[positions], ids[positions + 1]", "return ids[positions].T, ids[positions + 1].T")
)

# pyaptamer#590: random tokens from the text itself
misconception(
    "mask_for_infilling",
    "random tokens from the text itself",
    replace=(
        "strangers = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)",
        "strangers = ids.flatten()[torch.randperm(ids.numel(), generator=generator)].view(ids.shape)",
    ),
)

misconception(
    "mask_for_infilling",
    "unselected tokens become random, too",
    replace=("selected & (fate >= 0.9)", "(fate >= 0.9)"),
)

misconception(
    "mask_for_infilling", "random tokens from 1", replace=("torch.randint(vocab_size, ids.shape", "torch.randint(1, vocab_size, ids.shape")
)

misconception(
    "mask_for_infilling",
    "one random token for the whole batch",
    replace=("torch.randint(vocab_size, ids.shape, generator", "torch.randint(vocab_size, (1,), generator"),
)

misconception(
    "language_model_loss",
    "label smoothing",
    replace=(
        "losses = -logits.log_softmax(-1).gather(-1, chosen).squeeze(-1)",
        "lp = logits.log_softmax(-1)\n    losses = -0.9 * lp.gather(-1, chosen).squeeze(-1) - 0.1 * lp.mean(-1)",
    ),
)

misconception(
    "language_model_loss",
    "perplexity",
    replace=("return losses.where(counted, 0).sum() / counted.sum()", "return (losses.where(counted, 0).sum() / counted.sum()).exp()"),
)

misconception("language_model_loss", "clamped count", replace=("/ counted.sum()", "/ (counted.sum() + 1)"))

misconception(
    "language_model_loss",
    "summed over the batch, averaged over time",
    replace=(
        "return losses.where(counted, 0).sum() / counted.sum()",
        "return losses.where(counted, 0).sum() / (counted.sum() / targets.shape[0] if targets.ndim > 1 else counted.sum())",
    ),
)

misconception(
    "FeedForward",
    "GELU after both layers",
    replace=(
        'self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))',
        'F.gelu(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")), approximate="tanh")',
    ),
)

misconception("FeedForward", "SiLU", replace=('F.gelu(self.c_fc(x), approximate="tanh")', "F.silu(self.c_fc(x))"))

misconception(
    "FeedForward",
    "GELU before the first layer",
    replace=('self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))', 'self.c_proj(self.c_fc(F.gelu(x, approximate="tanh")))'),
)

misconception("FeedForward", "layer norm inside", replace=("self.c_fc(x)", "self.c_fc(F.layer_norm(x, (x.shape[-1],)))"))

# GPT-NeoX: q, k, v packed for each head
misconception(
    "CausalSelfAttention",
    "packed d_head, 3",
    replace=(
        "(part.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for part in self.c_attn(x).chunk(3, dim=-1))",
        "self.c_attn(x).unflatten(-1, (self.n_head, -1, 3)).transpose(-4, -3).unbind(-1)",
    ),
)

misconception(
    "CausalSelfAttention",
    "the future in place of the past",
    replace=(
        "F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "F.scaled_dot_product_attention(q, k, v, attn_mask=torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool, device=q.device).triu(), dropout_p=p)",
    ),
)

misconception(
    "CausalSelfAttention",
    "heads on the time axis",
    replace=("part.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for", "part.unflatten(-1, (self.n_head, -1)) for"),
)

misconception(
    "CausalSelfAttention",
    "residual inside",
    replace=(
        "return self.dropout(self.c_proj(heads.transpose(-3, -2).flatten(-2)))",
        "return x + self.dropout(self.c_proj(heads.transpose(-3, -2).flatten(-2)))",
    ),
)

misconception("Block", "norms on both sides", replace=("return x + self.mlp(self.ln_2(x))", "return self.ln_2(x + self.mlp(self.ln_2(x)))"))

misconception("Block", "x doubled", replace=("return x + self.mlp", "x = x + x\n        return x + self.mlp"))

misconception(
    "Block", "one norm for both", replace=("self.ln_2 = nn.LayerNorm(config.d_model, eps=1e-5, bias=config.bias)", "self.ln_2 = self.ln_1")
)

misconception("Block", "scaled by a half", replace=("return x + self.mlp(self.ln_2(x))", "return (x + self.mlp(self.ln_2(x))) / 2"))

misconception(
    "Block",
    "both norms, one after the other",
    replace=("return x + self.mlp(self.ln_2(x))", "return x + self.mlp(self.ln_2(self.ln_1(x)))"),
)

misconception(
    "GPT", "positions backwards", replace=("torch.arange(n, device=ids.device)", "torch.arange(n - 1, -1, -1, device=ids.device)")
)

misconception(
    "GPT",
    "the last norm stands in front of the blocks",
    replace=(("for block in self.h:", "x = self.ln_f(x)\n        for block in self.h:"), ("self.lm_head(self.ln_f(x))", "self.lm_head(x)")),
)

misconception("GPT", "blocks backwards", replace=("for block in self.h:", "for block in reversed(self.h):"))

misconception(
    "GPT",
    "residual around the stack",
    replace=("logits = self.lm_head(self.ln_f(x))", "x = x + self.wte(ids)\n        logits = self.lm_head(self.ln_f(x))"),
)

misconception(
    "GPT",
    "loss only",
    replace=(
        "return logits, None if targets is None else language_model_loss(logits, targets)",
        "return (logits, None) if targets is None else (language_model_loss(logits, targets), logits)",
    ),
)

misconception(
    "GPT",
    "loss of a flattened transposition",
    replace=("language_model_loss(logits, targets)", "language_model_loss(logits.transpose(0, 1).flatten(0, 1), targets.flatten())"),
)

misconception("GPT", "loss ignores token 0", replace=("language_model_loss(logits, targets)", "language_model_loss(logits, targets, 0)"))

misconception("GPT", "-1 ignored", replace=("language_model_loss(logits, targets)", "language_model_loss(logits, targets, -1)"))

misconception(
    "initialize",
    "xavier",
    replace=("nn.init.normal_(module.weight, 0.0, std, generator=generator)", "nn.init.xavier_normal_(module.weight, generator=generator)"),
)

misconception("initialize", "c_fc scaled too", replace=('name.endswith("c_proj")', 'name.endswith(("c_proj", "c_fc"))'))

misconception("initialize", "norms' gain 0", replace=("nn.init.ones_(module.weight)", "nn.init.zeros_(module.weight)"))

misconception("initialize", "scaled by depth of its own layer", replace=("2 * model.config.n_layer", "2 * (1 + int(name.split('.')[1]))"))

misconception(
    "parameter_groups",
    "lm_head does not decay, so the embedding does not",
    replace=("if p.dim() >= 2]", "if p.dim() >= 2 and p is not model.lm_head.weight]"),
)

misconception(
    "parameter_groups",
    "Norms decay in your answer: only biases are spared.",
    replace=(
        ("[p for p in parameters if p.dim() >= 2]", "[p for n, p in model.named_parameters() if n.endswith('weight') and p.requires_grad]"),
        (
            "[p for p in parameters if p.dim() < 2]",
            "[p for n, p in model.named_parameters() if not n.endswith('weight') and p.requires_grad]",
        ),
    ),
)

misconception("parameter_groups", "a tenth of the decay for vectors", replace=('"weight_decay": 0.0', '"weight_decay": weight_decay / 10'))

misconception(
    "learning_rate",
    "The warm-up begins one step early: step 0 has rate 0, step `warmup_steps` the full rate.",
    replace=("max_lr * step / warmup_steps", "max_lr * (step + 1) / (warmup_steps + 1)"),
)

misconception("learning_rate", "degrees", replace=("math.cos(math.pi * progress)", "math.cos(180 * progress)"))

misconception(
    "learning_rate",
    "square root decay (Noam)",
    replace=(
        "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
        "return max(min_lr, max_lr * (max(1, warmup_steps) / step) ** 0.5)",
    ),
)

misconception(
    "learning_rate",
    "max of cosine to zero and min_lr",
    replace=(
        "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
        "return max(min_lr, 0.5 * max_lr * (1 + math.cos(math.pi * progress)))",
    ),
)

misconception("learning_rate", "one step longer", replace=("/ (total_steps - warmup_steps)", "/ (total_steps - warmup_steps + 1)"))

misconception(
    "sample_next",
    "temperature after the softmax",
    replace=(
        ("logits = logits / temperature\n", "\n"),
        ("probabilities = logits.softmax(-1)", "probabilities = logits.softmax(-1) / temperature"),
    ),
)

misconception(
    "sample_next",
    "softmax twice",
    replace=("probabilities = logits.softmax(-1)", "probabilities = logits.softmax(-1).softmax(-1) * (logits > -math.inf)"),
)

misconception(
    "sample_next",
    "top-k over the whole batch",
    replace=(
        "logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]",
        "logits.flatten().topk(min(top_k, logits.shape[-1])).values[-1]",
    ),
)

misconception(
    "sample_next",
    "top-p looks at the distribution before top-k; it should look at what top-k left, renormalised.",
    replace=("if top_k is not None:\n        weakest", "if top_k is not None and top_p is None:\n        weakest"),
)

misconception("sample_next", "square root of temperature", replace=("logits / temperature", "logits / temperature ** 0.5"))

misconception(
    "sample_next",
    "top-p keeps ties of the threshold probability",
    replace=(
        "probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)",
        "least = ordered.masked_fill(ordered == 0, 2).amin(-1, keepdim=True)\n        probabilities = probabilities * (probabilities >= least)",
    ),
)

misconception(
    "generate",
    "stops at token 0",
    replace=(
        "ids = torch.cat([ids, new[:, None]], dim=1)",
        "ids = torch.cat([ids, new[:, None]], dim=1)\n                if (new == 0).all():\n                    break",
    ),
)

misconception("generate", "new tokens in front", replace=("torch.cat([ids, new[:, None]], dim=1)", "torch.cat([new[:, None], ids], dim=1)"))

misconception(
    "generate",
    "the same token for all rows",
    replace=("new = sample_next(logits[:, -1]", "new = sample_next(logits[:1, -1].expand(len(ids), -1)"),
)

misconception(
    "generate",
    "The first position's logits are used; the last one's tell what comes next.",
    replace=(
        "new = sample_next(logits[:, -1], temperature, top_k, top_p, generator)",
        "new = sample_next(logits, temperature, top_k, top_p, generator)[:, 0]",
    ),
)

misconception(
    "generate",
    "greedy",
    replace=("new = sample_next(logits[:, -1], temperature, top_k, top_p, generator)", "new = logits[:, -1].argmax(-1)"),
)

misconception(
    "train_step", "by tokens", replace=("(loss / len(batches)).backward()", "(loss / sum(y.numel() for _, y in batches)).backward()")
)

misconception(
    "train_step",
    "the loss is computed again after the step",
    replace=(
        "    optimizer.zero_grad()\n    return (total / len(batches)).item()",
        "    optimizer.zero_grad()\n    with torch.no_grad():\n        total = sum(model(x, y)[1] for x, y in batches)\n    return (total / len(batches)).item()",
    ),
)

misconception(
    "train_step",
    "clips to the norm of infinity",
    replace=("clip_grad_norm_(model.parameters(), clip)", "clip_grad_norm_(model.parameters(), clip, norm_type=float('inf'))"),
)

misconception(
    "train_step",
    "autocast also around the backward of others: dtype of the model changed",
    replace=("    model.train()\n", "    model.train()\n    model.to(autocast_dtype or next(model.parameters()).dtype)\n"),
)

misconception(
    "attention_pattern",
    "The prefix is causal inside in your answer: its tokens should see each other in both directions.",
    replace=(
        "return everyone.tril() | (torch.arange(n) < prefix)",
        "return everyone.tril() | ((torch.arange(n) < prefix) & (torch.arange(n)[:, None] >= prefix))",
    ),
)

misconception(
    "attention_pattern", "the encoder without the diagonal", replace=("return everyone\n", "return ~torch.eye(n, dtype=torch.bool)\n")
)

# right ones
variant(
    "get_batch",
    replace=(
        "    positions = starts + torch.arange(block_size)\n    return ids[positions], ids[positions + 1]",
        "    pieces = torch.stack([ids[int(s) : int(s) + block_size + 1] for s in starts.flatten()])\n    return pieces[:, :-1].contiguous(), pieces[:, 1:].contiguous()",
    ),
)

variant(
    "get_batch",
    replace=(
        "ids[positions], ids[positions + 1]",
        "ids.unfold(0, block_size + 1, 1)[starts[:, 0], :-1], ids.unfold(0, block_size + 1, 1)[starts[:, 0], 1:]",
    ),
)

variant("mask_for_infilling", replace=(("selected & (fate >= 0.9)", "selected & ~(fate < 0.8) & (uniform() < 0.5)"),))

variant(
    "language_model_loss",
    replace=(
        "losses = -logits.log_softmax(-1).gather(-1, chosen).squeeze(-1)",
        "losses = torch.logsumexp(logits, -1) - logits.gather(-1, chosen).squeeze(-1)",
    ),
)

variant(
    "sample_next",
    replace=(
        "drawn = torch.multinomial(rows, 1, generator=generator)",
        "noise = -torch.rand(rows.shape, generator=generator, dtype=torch.float64).log()\n    drawn = (rows.double() / noise.clamp(min=1e-300)).argmax(-1, keepdim=True)",
    ),
)

variant(
    "CausalSelfAttention",
    replace=(
        "F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "F.dropout((q @ k.mT / math.sqrt(q.shape[-1]) + torch.full((q.shape[-2], q.shape[-2]), -math.inf, device=q.device, dtype=q.dtype).triu(1)).softmax(-1), p) @ v",
    ),
)

variant("GPT", replace=("self.lm_head.weight = self.wte.weight", "self.wte.weight = self.lm_head.weight"))

variant(
    "learning_rate",
    replace=(
        "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
        "return min_lr + (max_lr - min_lr) * math.cos(math.pi / 2 * progress) ** 2",
    ),
)

variant(
    "train_step",
    replace=(
        "        (loss / len(batches)).backward()\n        total += loss.detach()\n",
        "        total = total + loss\n    (total / len(batches)).backward()\n    total = total.detach()\n",
    ),
)

# lucidrains/PaLM-rlhf-pytorch#60: the order is taken of what is sorted already
misconception(
    "sample_next", "sorted twice", replace=("torch.zeros_like(probabilities).scatter(-1, order, ordered)", "ordered.gather(-1, order)")
)

# openai/gpt-2#187: top-p counts the mass of all tokens, not of what top-k left
misconception(
    "sample_next",
    "top-p looks at the distribution before top-k; it should look at what top-k left, renormalised.",
    replace=(
        ("    logits = logits / temperature\n", "    logits = logits / temperature\n    whole = logits.softmax(-1)\n"),
        ("probabilities = logits.softmax(-1)", "probabilities = whole.masked_fill(logits == -math.inf, 0.0)"),
    ),
)

misconception(
    "sample_next",
    "The temperature comes after top-p in your answer; it comes first.",
    replace=(
        ("logits = logits / temperature", "logits = logits / 1.0"),
        ("rows = probabilities", "probabilities = probabilities ** (1 / temperature)\n    rows = probabilities"),
    ),
)

# ml-explore/mlx-examples#602: from the least likely up
variant(
    "sample_next",
    replace=(
        ("probabilities.sort(-1, descending=True)", "probabilities.double().sort(-1)"),
        ("mass_before = ordered.cumsum(-1) - ordered", "mass_before = ordered.flip(-1).cumsum(-1).flip(-1) - ordered"),
        ("scatter(-1, order, ordered)", "scatter(-1, order, ordered.to(probabilities))"),
    ),
)

# rasbt/reasoning-from-scratch#164, and the same in four others: the token that reaches p is left out
misconception(
    "sample_next",
    "The token that makes the mass reach top_p is dropped; it belongs to the nucleus.",
    replace=("mass_before >= top_p", "(ordered.cumsum(-1) > top_p) & (mass_before > 0)"),
)

misconception(
    "generate",
    "an end token",
    replace=(
        "            ids = torch.cat([ids, new[:, None]], dim=1)",
        "            ids = torch.cat([ids, new[:, None]], dim=1)\n                if (new == 0).all():\n                    break",
    ),
)

misconception("generate", "the mean of the last logits", replace=("logits[:, -1], temperature", "logits[:, -2:].mean(1), temperature"))

# huggingface/transformers#1563: each gradient is clipped, and then their sum is not
misconception(
    "train_step",
    "The gradients are clipped after each pair; clip once, when the mean over all pairs is there.",
    replace=(
        (
            "(loss / len(batches)).backward()",
            "(loss / len(batches)).backward()\n        if clip is not None:\n            nn.utils.clip_grad_norm_(model.parameters(), clip)",
        ),
        (
            "    if clip is not None:\n        nn.utils.clip_grad_norm_(model.parameters(), clip)\n    optimizer.step()",
            "    optimizer.step()",
        ),
    ),
)

misconception(
    "train_step",
    "a step for each batch",
    replace=("(loss / len(batches)).backward()", "(loss / len(batches)).backward()\n        optimizer.step()"),
)

misconception(
    "train_step", "the loss of the first batch", replace=("return (total / len(batches)).item()", "return model(*batches[0])[1].item()")
)

# Mikyx-1/TinyLLM#17
misconception("CausalSelfAttention", "causal in training only", replace=("is_causal=True", "is_causal=self.training"))

misconception(
    "CausalSelfAttention",
    "The future is set to zero after the softmax, so the weights that are left do not sum to one: mask the scores.",
    replace=(
        "F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "F.dropout((q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1).tril(), p) @ v",
    ),
)

misconception(
    "CausalSelfAttention",
    "masked with zeros",
    replace=(
        "F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "F.dropout((q @ k.mT / math.sqrt(q.shape[-1])).tril().softmax(-1), p) @ v",
    ),
)

misconception(
    "learning_rate",
    "The cosine falls to 0; it should end at min_lr.",
    replace=("return min_lr + 0.5 * (max_lr - min_lr)", "return 0.5 * max_lr"),
)

misconception(
    "learning_rate",
    "warm-up counted in the cosine",
    replace=("(step - warmup_steps) / (total_steps - warmup_steps)", "step / (total_steps - warmup_steps)"),
)


misconception(
    "learning_rate",
    "min_lr only after total_steps, so that 0 is divided by 0 where the warm-up lasts until then",
    replace=("if step >= total_steps:", "if step > total_steps:"),
)
misconception(
    "get_batch",
    "no start comes twice",
    replace=(
        "torch.randint(n_starts, (batch_size, 1), generator=generator)",
        "torch.randperm(n_starts, generator=generator)[:batch_size, None]",
    ),
)
misconception(
    "mask_for_infilling",
    "random tokens also where nothing was selected",
    replace=("selected & (fate >= 0.9)", "(fate >= 0.9)"),
)
misconception(
    "sample_next",
    "kept up to the last token's probability, so that equal ones stay",
    replace=(
        "ordered.masked_fill(mass_before >= top_p, 0.0)",
        "ordered.where(ordered >= ordered.where(mass_before < top_p, 2.0).amin(-1, keepdim=True), 0.0)",
    ),
)
misconception(
    "generate",
    "gradients stay off",
    replace=("with torch.no_grad():", "torch.set_grad_enabled(False)\n        if True:"),
)


@variant("get_batch")
def windows_by_unfold(ids, batch_size, block_size, generator):
    if len(ids) < block_size + 1:
        raise ValueError(f"ids holds {len(ids)} tokens, too few for block_size {block_size}")
    windows = ids.unfold(0, block_size + 1, 1)
    chosen = windows[torch.randint(len(windows), (batch_size,), generator=generator).to(ids.device)]
    return chosen[:, :-1], chosen[:, 1:]


@variant("mask_for_infilling")
def two_draws_in_turn(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], not {p}")

    def uniform():
        return torch.rand(ids.shape, generator=generator, device=generator.device).to(ids.device)

    special = torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype, device=ids.device))
    selected = (uniform() < p) & ~special
    masked = (uniform() < 0.8) & selected
    strange = (uniform() < 0.5) & selected & ~masked
    strangers = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)
    return strangers.where(strange, torch.where(masked, mask_id, ids)), ids.where(selected, -100)
