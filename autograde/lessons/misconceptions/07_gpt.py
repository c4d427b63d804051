"""What students get wrong in lesson 07, and unusual ways to get it right."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant

# get_batch

misconception(
    "get_batch",
    "This is what you get when y is x itself: the targets are not shifted by one.",
    replace=("ids[positions + 1]", "ids[positions]"),
)
misconception(
    "get_batch",
    "This is what you get when y comes before x: it must be one token later.",
    replace=("return ids[positions], ids[positions + 1]", "return ids[positions + 1], ids[positions]"),
)
misconception("get_batch", "The last start is missing: with N tokens there are N − block_size starts, and randint leaves its upper end out.", replace=(
    "torch.randint(n_starts, ", "torch.randint(max(1, n_starts - 1), "))  # fmt: skip
misconception("get_batch", "There is one start too many: the last window's y would need a token beyond the end of the text.", replace=(
    ("torch.randint(n_starts, ", "torch.randint(n_starts + 1, "), ("ids[positions + 1]", "ids.roll(-1)[positions]"), ("return ids[positions]", "return ids[positions % len(ids)]"), ("ids.roll(-1)[positions]", "ids.roll(-1)[positions % len(ids)]")))  # fmt: skip
misconception("get_batch", "Your batches do not come from the generator you are given.", replace=("generator=generator", "generator=None"))
misconception(
    "get_batch",
    "Every window of your batch begins at the same place: draw a start for each.",
    replace=("(batch_size, 1), generator=generator)", "(1, 1), generator=generator).expand(batch_size, 1)"),
)
misconception(
    "get_batch",
    "A text that is too short for one window must be a ValueError.",
    replace=("    if n_starts < 1:\n        raise", "    n_starts = max(n_starts, 1)\n    if len(ids) < 1:\n        raise"),
)


@misconception("get_batch", "Your windows are cut from a grid; they may begin anywhere in the text.")
def on_a_grid(ids, batch_size, block_size, generator):
    n_windows = (len(ids) - 1) // block_size
    if n_windows < 1:
        raise ValueError("ids is too short")
    starts = block_size * torch.randint(n_windows, (batch_size, 1), generator=generator)
    positions = starts + torch.arange(block_size)
    return ids[positions], ids[positions + 1]


@variant("get_batch")
def stacked_windows(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError(f"block_size is {block_size}, but there are only {len(ids)} tokens")
    starts = [int(torch.randint(0, len(ids) - block_size, (), generator=generator)) for _ in range(batch_size)]
    x = torch.stack([ids[i : i + block_size] for i in starts])
    return x, torch.stack([ids[i + 1 : i + 1 + block_size] for i in starts])


@variant("get_batch")
def unfolded_windows(ids, batch_size, block_size, generator):
    if len(ids) < block_size + 1:
        raise ValueError("ids is too short for block_size")
    windows = ids.unfold(0, block_size + 1, 1)
    chosen = windows[(torch.rand(batch_size, generator=generator) * len(windows)).long()]
    return chosen[:, :-1], chosen[:, 1:]


# mask_for_infilling

misconception(
    "mask_for_infilling",
    "Every selected token becomes the mask in your answer; 10 % should be random and 10 % unchanged.",
    replace=(("fate < 0.8", "fate < 2.0"), ("fate >= 0.9", "fate >= 2.0")),
)
misconception(
    "mask_for_infilling",
    "Tokens that were not selected become random, too: the 10 % are a share of the selected ones.",
    replace=(
        "inputs = torch.where(selected & (fate >= 0.9), strangers, inputs)",
        "other = (selected & (fate >= 0.8)) | ~(selected | special)\n    inputs = torch.where(other & (uniform() < 0.1), strangers, inputs)",
    ),
)
misconception(
    "mask_for_infilling",
    "Your shares are 80/20/0: a tenth of the selected tokens should stay as they are.",
    replace=("fate >= 0.9", "fate >= 0.8"),
)
misconception(
    "mask_for_infilling", "Special tokens are selected too; those in special_ids must be left alone.", replace=(" & ~special", "")
)
misconception(
    "mask_for_infilling",
    "Your labels hold every token; where nothing was selected they must be −100.",
    replace=("torch.where(selected, ids, -100)", "ids.clone()"),
)
misconception(
    "mask_for_infilling",
    "Your labels hold the corrupted tokens; they must hold the original ones.",
    replace=("torch.where(selected, ids, -100)", "torch.where(selected, inputs, -100)"),
)
misconception(
    "mask_for_infilling",
    "Your labels are −100 where a token was selected: it is the other way round.",
    replace=("torch.where(selected, ids, -100)", "torch.where(selected, -100, ids)"),
)
misconception(
    "mask_for_infilling",
    "Selected tokens that stay unchanged must have a label too.",
    replace=("return inputs, torch.where(selected, ids, -100)", "return inputs, torch.where(inputs != ids, ids, -100)"),
)
misconception("mask_for_infilling", "`p` is not used.", replace=("uniform() < p)", "uniform() < 0.15)"))
misconception(
    "mask_for_infilling",
    "All sequences are masked at the same positions; draw for each token.",
    replace=(
        "torch.rand(ids.shape, generator=generator, device=generator.device)",
        "torch.rand(ids.shape[-1:], generator=generator).expand(ids.shape)",
    ),
)
misconception(
    "mask_for_infilling",
    "Your random numbers do not come from the generator you are given.",
    replace=("torch.rand(ids.shape, generator=generator, device=generator.device)", "torch.rand(ids.shape)"),
)
misconception("mask_for_infilling", "A p outside [0, 1] must be a ValueError.", replace=("if not 0 <= p <= 1:", "if False:"))
misconception("mask_for_infilling", "The number that selects a token also decides its fate, so the shares are not 80/10/10: draw a second one.", replace=(
    ("selected = (uniform() < p)", "fate = uniform()\n    selected = (fate < p)"), ("    fate = uniform()\n    strangers", "    strangers")))  # fmt: skip


@misconception("mask_for_infilling", "Your function changes `ids` in place.")
def masks_in_place(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError(f"p = {p}")
    labels, selected = ids.clone(), torch.rand(ids.shape, generator=generator) < p
    for token in special_ids:
        selected &= ids != token
    labels[~selected] = -100
    fate = torch.rand(ids.shape, generator=generator)
    ids[selected & (fate < 0.8)] = mask_id
    other = selected & (fate >= 0.9)
    ids[other] = torch.randint(vocab_size, (int(other.sum()),), generator=generator)
    return ids, labels


@variant("mask_for_infilling")
def as_transformers_does(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if p < 0 or p > 1:
        raise ValueError(f"p is {p}")
    chances = torch.full(ids.shape, float(p), device=ids.device)
    for token in special_ids:
        chances[ids == token] = 0.0
    selected = torch.bernoulli(chances, generator=generator).bool()
    inputs, labels = ids.clone(), ids.clone()
    labels[~selected] = -100
    masked = torch.bernoulli(torch.full_like(chances, 0.8), generator=generator).bool() & selected
    inputs[masked] = mask_id
    random = torch.bernoulli(torch.full_like(chances, 0.5), generator=generator).bool() & selected & ~masked
    inputs[random] = torch.randint(vocab_size, ids.shape, generator=generator, device=ids.device)[random]
    return inputs, labels


@variant("mask_for_infilling")
def one_by_one(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError("p must be a probability")
    selected = torch.rand(ids.shape, generator=generator, device=ids.device).lt(p)
    kinds = torch.multinomial(torch.tensor([0.8, 0.1, 0.1], device=ids.device), max(1, ids.numel()), replacement=True, generator=generator)[
        : ids.numel()
    ].view(ids.shape)
    for token in special_ids:
        selected = selected & ids.ne(token)
    strangers = torch.randint(0, vocab_size, ids.shape, generator=generator, device=ids.device)
    changed = torch.where(kinds == 0, torch.full_like(ids, mask_id), torch.where(kinds == 1, strangers, ids))
    return torch.where(selected, changed, ids), torch.where(selected, ids, torch.full_like(ids, -100))


# language_model_loss

misconception(
    "language_model_loss",
    "This is what you get when the losses are summed: take their mean over the targets that count.",
    replace=(" / counted.sum()", ""),
)
misconception(
    "language_model_loss",
    "You divide by the number of all targets; those that are ignored do not count.",
    replace=("counted.sum()", "counted.numel()"),
)
misconception(
    "language_model_loss", "`ignore_index` is not used: only −100 is left out.", replace=("targets != ignore_index", "targets != -100")
)
misconception(
    "language_model_loss",
    "This is what you get in bits (log₂); the loss is in nats (natural logarithm).",
    replace=("losses.where(counted, 0).sum()", "losses.where(counted, 0).sum() / 0.6931472"),
)
misconception(
    "language_model_loss", "The softmax is applied twice.", replace=("logits.log_softmax(-1)", "logits.softmax(-1).log_softmax(-1)")
)
misconception("language_model_loss", "The loss is a log-probability with the wrong sign.", replace=("losses = -logits", "losses = logits"))
misconception(
    "language_model_loss",
    "This is one minus the probability; the loss is minus its logarithm.",
    replace=("-logits.log_softmax(-1)", "1 - logits.softmax(-1)"),
)
misconception(
    "language_model_loss",
    "Large logits overflow: take the maximum out before exponentiating.",
    replace=("logits.log_softmax(-1)", "(logits.exp() / logits.exp().sum(-1, keepdim=True)).log()"),
)
misconception(
    "language_model_loss",
    "The loss is not differentiable: a Python number has no gradient.",
    replace=(
        "return losses.where(counted, 0).sum() / counted.sum()",
        "return torch.tensor((losses.where(counted, 0).sum() / counted.sum()).item(), dtype=logits.dtype)",
    ),
)
misconception(
    "language_model_loss",
    "The result does not have the dtype of the logits.",
    replace=("return losses.where(counted, 0).sum() / counted.sum()", "return (losses.where(counted, 0).sum() / counted.sum()).float()"),
)
misconception(
    "language_model_loss",
    "Ignored targets count as token 0.",
    replace=("return losses.where(counted, 0).sum() / counted.sum()", "return losses.mean()"),
)


@misconception("language_model_loss", "The softmax runs over the wrong dimension; it belongs over the vocabulary, the last one.")
def softmax_over_time(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    log_p = logits - logits.logsumexp(dim=max(logits.ndim - 2, 0), keepdim=True)
    return -log_p.gather(-1, targets.where(counted, 0)[..., None])[..., 0][counted].mean()


@variant("language_model_loss")
def only_the_rows_that_count(logits, targets, ignore_index=-100):
    rows, targets = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    keep = targets != ignore_index
    rows, targets = rows[keep], targets[keep]
    shifted = rows - rows.amax(-1, keepdim=True)
    return (shifted.exp().sum(-1).log() - shifted[torch.arange(len(targets)), targets]).mean()


@variant("language_model_loss")
def with_one_hot(logits, targets, ignore_index=-100):
    weight = (targets != ignore_index).to(logits.dtype)
    right = F.one_hot(targets.clamp(min=0), logits.shape[-1]).bool()
    score = logits.masked_fill(~right, 0.0).sum(-1)
    return ((torch.logsumexp(logits, -1) - score) * weight).sum() / weight.sum()


# attention_pattern

misconception(
    "attention_pattern",
    "Your decoder sees only what came before, not the position itself: row 0 would see nothing.",
    replace=("return everyone.tril()\n", "return everyone.tril(-1)\n"),
)
misconception(
    "attention_pattern",
    "Your decoder sees the future instead of the past.",
    replace=("return everyone.tril()\n", "return everyone.triu()\n"),
)
misconception(
    "attention_pattern",
    "True means hidden in your masks; in this course True means: may be attended to.",
    replace=("everyone = torch.ones", "everyone = torch.zeros"),
)
misconception(
    "attention_pattern",
    "The prefix is causal inside in your answer: its tokens should see each other in both directions.",
    replace=("| (torch.arange(n) < prefix)", "| ((torch.arange(n) < prefix) & (torch.arange(n)[:, None] >= prefix))"),
)
misconception(
    "attention_pattern",
    "Only the prefix itself sees the prefix; later positions see it too, and what came before them.",
    replace=("everyone.tril() | (torch.arange(n) < prefix)", "(torch.arange(n) < prefix).expand(n, n)"),
)
misconception(
    "attention_pattern",
    "This is both conditions at once; a position sees j < prefix or j ≤ i.",
    replace=("everyone.tril() | (torch", "everyone.tril() & (torch"),
)
misconception("attention_pattern", "The prefix is one token too long.", replace=("torch.arange(n) < prefix", "torch.arange(n) <= prefix"))
misconception(
    "attention_pattern",
    "An unknown kind must be a ValueError.",
    replace=("    raise ValueError(f\"kind must be 'encoder', 'decoder' or 'prefix', got {kind!r}\")", "    return everyone"),
)


@variant("attention_pattern")
def by_a_table(kind, n, prefix=0):
    seen = {"encoder": lambda i, j: True, "decoder": lambda i, j: j <= i, "prefix": lambda i, j: j < prefix or j <= i}
    if kind not in seen:
        raise ValueError(f"unknown kind {kind}")
    return torch.tensor([[seen[kind](i, j) for j in range(n)] for i in range(n)])


@variant("attention_pattern")
def by_slices(kind, n, prefix=0):
    if kind not in ("encoder", "decoder", "prefix"):
        raise ValueError(f"kind = {kind}")
    mask = torch.tril(torch.ones(n, n)) == 1
    mask[:, : {"encoder": n, "decoder": 0, "prefix": prefix}[kind]] = True
    return mask


# FeedForward

misconception(
    "FeedForward", "This is what you get with the exact GELU; GPT-2 uses the tanh approximation.", replace=(', approximate="tanh"', "")
)
misconception(
    "FeedForward",
    "This is what you get with ReLU instead of GELU.",
    replace=('F.gelu(self.c_fc(x), approximate="tanh")', "F.relu(self.c_fc(x))"),
)
misconception(
    "FeedForward", "There is no nonlinearity between the two layers.", replace=('F.gelu(self.c_fc(x), approximate="tanh")', "self.c_fc(x)")
)
misconception(
    "FeedForward",
    "The inner layer is 4 times as wide as d_model.",
    replace=(
        ("config.d_model, 4 * config.d_model", "config.d_model, 2 * config.d_model"),
        ("4 * config.d_model, config.d_model", "2 * config.d_model, config.d_model"),
    ),
)
misconception(
    "FeedForward",
    "Dropout is missing.",
    replace=(
        'self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))',
        'self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))',
    ),
)
misconception(
    "FeedForward",
    "Dropout stays on in eval mode.",
    replace=("return self.dropout(self.c_proj(", "return F.dropout(p=self.dropout.p, training=True, input=self.c_proj("),
)
misconception("FeedForward", "`config.bias` is ignored.", replace=(", bias=config.bias", ""))
misconception(
    "FeedForward",
    "The input is added inside; the residual connection belongs to the block.",
    replace=("return self.dropout(", "return x + self.dropout("),
)
misconception(
    "FeedForward",
    "There is a dropout inside, too; it comes once, at the end.",
    replace=(
        'self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))',
        'self.c_proj(self.dropout(F.gelu(self.c_fc(x), approximate="tanh")))',
    ),
)


@variant("FeedForward")
class GeluByHand(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_fc = nn.Linear(config.d_model, 4 * config.d_model, config.bias)
        self.c_proj = nn.Linear(4 * config.d_model, config.d_model, config.bias)
        self.p = config.dropout

    def forward(self, x):
        h = self.c_fc(x)
        h = 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        return F.dropout(self.c_proj(h), self.p, self.training)


@variant("FeedForward")
class GeluModule(nn.Module):
    def __init__(self, config):
        super().__init__()
        inner = 4 * config.d_model
        self.c_fc, self.act = nn.Linear(config.d_model, inner, bias=config.bias), nn.GELU(approximate="tanh")
        self.c_proj, self.drop = nn.Linear(inner, config.d_model, bias=config.bias), nn.Dropout(config.dropout)

    def forward(self, x):
        return self.drop(self.c_proj(self.act(self.c_fc(x))))


# CausalSelfAttention

misconception(
    "CausalSelfAttention", "Your attention is not causal: position i must not see j > i.", replace=("is_causal=True", "is_causal=False")
)
misconception(
    "CausalSelfAttention",
    "Queries, keys and values are packed in this order in c_attn; yours are in another.",
    replace=("q, k, v = (", "k, q, v = ("),
)
misconception("CausalSelfAttention", "Values and keys are exchanged.", replace=("q, k, v = (", "q, v, k = ("))
misconception("CausalSelfAttention", "The heads are cut by a view without a transpose: each head must get its own columns at every position.", replace=(
    ".unflatten(-1, (self.n_head, -1)).transpose(-3, -2)", ".reshape(*x.shape[:-2], self.n_head, x.shape[-2], -1)"))  # fmt: skip
misconception(
    "CausalSelfAttention",
    "The heads are joined without transposing back first.",
    replace=("heads.transpose(-3, -2).flatten(-2)", "heads.reshape(x.shape)"),
)
misconception(
    "CausalSelfAttention",
    "The scores are divided by √d_model; each head has d_head = d_model / n_head columns.",
    replace=("is_causal=True", "is_causal=True, scale=x.shape[-1] ** -0.5"),
)
misconception("CausalSelfAttention", "The scores are not divided by √d_head.", replace=("is_causal=True", "is_causal=True, scale=1.0"))
misconception(
    "CausalSelfAttention", "This is a single head: split q, k and v into n_head pieces.", replace=("(self.n_head, -1)", "(1, -1)")
)
misconception(
    "CausalSelfAttention",
    "c_proj is missing.",
    replace=("self.c_proj(heads.transpose(-3, -2).flatten(-2))", "heads.transpose(-3, -2).flatten(-2)"),
)
misconception(
    "CausalSelfAttention",
    "Attention's dropout stays on in eval mode: the functional call must be told whether the module is training.",
    replace=("p = self.p if self.training else 0.0", "p = self.p"),
)
misconception(
    "CausalSelfAttention",
    "n_head must divide d_model; anything else is a ValueError.",
    replace=("if config.d_model % config.n_head:", "if False:"),
)
misconception(
    "CausalSelfAttention",
    "There is no dropout in training mode.",
    replace=(
        ("dropout_p=p", "dropout_p=0.0"),
        ("self.dropout(self.c_proj(heads.transpose(-3, -2).flatten(-2)))", "self.c_proj(heads.transpose(-3, -2).flatten(-2))"),
    ),
)
misconception("CausalSelfAttention", "`config.bias` is ignored.", replace=(", bias=config.bias", ""))
misconception(
    "CausalSelfAttention",
    "The mask is one position too wide: position i sees i + 1.",
    replace=("is_causal=True", "attn_mask=torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device).tril(1)"),
)


@variant("CausalSelfAttention")
class MaskInABuffer(nn.Module):
    """As in nanoGPT without flash attention: a mask in a buffer named `bias`, a softmax by hand."""

    def __init__(self, config):
        super().__init__()
        if config.d_model % config.n_head != 0:
            raise ValueError(f"n_head = {config.n_head} does not divide d_model = {config.d_model}")
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.d_model, 3 * config.d_model, bias=config.bias)
        self.c_proj = nn.Linear(config.d_model, config.d_model, bias=config.bias)
        self.attn_dropout, self.resid_dropout = nn.Dropout(config.dropout), nn.Dropout(config.dropout)
        self.register_buffer(
            "bias", torch.tril(torch.ones(config.block_size, config.block_size)).view(1, 1, config.block_size, config.block_size)
        )

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
        y = self.attn_dropout(F.softmax(att, dim=-1)) @ v
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))


@variant("CausalSelfAttention")
class HeadByHead(nn.Module):
    def __init__(self, config):
        super().__init__()
        if config.d_model % config.n_head:
            raise ValueError("d_model must be divisible by n_head")
        self.config = config
        self.c_attn = nn.Linear(config.d_model, config.d_model * 3, bias=config.bias)
        self.c_proj = nn.Linear(config.d_model, config.d_model, bias=config.bias)

    def forward(self, x):
        q, k, v = torch.tensor_split(self.c_attn(x), 3, dim=-1)
        d = self.config.d_model // self.config.n_head
        future = torch.full((x.shape[1], x.shape[1]), -torch.inf, device=x.device, dtype=x.dtype).triu(1)
        outputs = []
        for i in range(self.config.n_head):
            s = slice(i * d, (i + 1) * d)
            scores = torch.einsum("bid,bjd->bij", q[..., s], k[..., s]) / d**0.5 + future
            weights = F.dropout(scores.softmax(-1), self.config.dropout, self.training)
            outputs.append(torch.einsum("bij,bjd->bid", weights, v[..., s]))
        return F.dropout(self.c_proj(torch.cat(outputs, -1)), self.config.dropout, self.training)


# Block

misconception("Block", "This is post-norm: GPT-2 normalises before each part, not after the addition.", replace=(
    ("x = x + self.attn(self.ln_1(x))", "x = self.ln_1(x + self.attn(x))"), ("return x + self.mlp(self.ln_2(x))", "return self.ln_2(x + self.mlp(x))")))  # fmt: skip
misconception(
    "Block",
    "The two norms are exchanged.",
    replace=(
        ("self.attn(self.ln_1(x))", "self.attn(self.ln_0(x))"),
        ("self.mlp(self.ln_2(x))", "self.mlp(self.ln_1(x))"),
        ("self.ln_0", "self.ln_2"),
    ),
)
misconception(
    "Block",
    "The residual connections are missing: a block adds to x.",
    replace=(("x = x + self.attn", "x = self.attn"), ("return x + self.mlp", "return self.mlp")),
)
misconception("Block", "Both parts see the same x; the feed-forward network should see x after attention was added.", replace=(
    ("x = x + self.attn(self.ln_1(x))\n        return x + self.mlp(self.ln_2(x))", "return x + self.attn(self.ln_1(x)) + self.mlp(self.ln_2(x))")))  # fmt: skip
misconception(
    "Block",
    "The normalised x is added, not x itself.",
    replace=("x = x + self.attn(self.ln_1(x))", "x = self.ln_1(x)\n        x = x + self.attn(x)"),
)
misconception("Block", "The norms' ε is not 10⁻⁵.", replace=("eps=1e-5", "eps=1e-3"))
misconception("Block", "The feed-forward network has no residual connection.", replace=("return x + self.mlp", "return self.mlp"))
misconception("Block", "ln_1 is used twice.", replace=("self.mlp(self.ln_2(x))", "self.mlp(self.ln_1(x))"))
misconception("Block", "The feed-forward network comes before attention.", replace=(
    ("x = x + self.attn(self.ln_1(x))\n        return x + self.mlp(self.ln_2(x))", "x = x + self.mlp(self.ln_2(x))\n        return x + self.attn(self.ln_1(x))")))  # fmt: skip

variant(
    "Block",
    replace=(
        "x = x + self.attn(self.ln_1(x))\n        return x + self.mlp(self.ln_2(x))",
        "after = torch.add(x, self.attn(self.ln_1(x)))\n        return self.mlp(self.ln_2(after)) + after",
    ),
)
misconception(
    "Block", "The norms have a bias also where `config.bias` is False: pass it on to them, too.", replace=(", bias=config.bias)", ")")
)

# GPT

misconception("GPT", "Positions are missing: add wpe.", replace=(" + self.wpe(torch.arange(n, device=ids.device))", ""))
misconception(
    "GPT",
    "Positions are counted from 1; they begin at 0.",
    replace=("torch.arange(n, device=ids.device)", "torch.arange(1, n + 1, device=ids.device) % self.config.block_size"),
)
misconception("GPT", "The last norm, ln_f, is missing.", replace=("self.lm_head(self.ln_f(x))", "self.lm_head(x)"))
misconception(
    "GPT", "lm_head is not tied to wte: they must share one matrix.", replace=("        self.lm_head.weight = self.wte.weight\n", "")
)
misconception(
    "GPT",
    "The head's numbers are a copy of the embedding's: after one step of training they differ. Share the parameter itself.",
    replace=("self.lm_head.weight = self.wte.weight", "self.lm_head.weight = nn.Parameter(self.wte.weight.detach().clone())"),
)
misconception(
    "GPT",
    "Only the last position's logits are returned without targets; the model gives those of all positions.",
    replace=(
        "logits = self.lm_head(self.ln_f(x))",
        "x = x if targets is not None else x[:, -1:]\n        logits = self.lm_head(self.ln_f(x))",
    ),
)
misconception(
    "GPT",
    "The targets are shifted once more inside the model; get_batch has shifted them already.",
    replace=("language_model_loss(logits, targets)", "language_model_loss(logits[:, :-1], targets[:, 1:])"),
)
misconception(
    "GPT",
    "A text longer than block_size must be a ValueError.",
    replace=("if n > self.config.block_size:", "if n > self.config.block_size + 1:"),
)
misconception(
    "GPT", "A text of exactly block_size tokens fits.", replace=("if n > self.config.block_size:", "if n >= self.config.block_size:")
)
misconception(
    "GPT",
    "The logits went through a softmax; leave them as they are.",
    replace=("logits = self.lm_head(self.ln_f(x))", "logits = self.lm_head(self.ln_f(x)).softmax(-1)"),
)
misconception(
    "GPT",
    "The embeddings are scaled by √d_model, as in Vaswani et al. (2017); GPT-2 does not do that.",
    replace=("self.wte(ids) +", "self.wte(ids) * self.config.d_model**0.5 +"),
)
misconception(
    "GPT",
    "All layers share one block: make a new one for each.",
    replace=("nn.ModuleList(Block(config) for _ in range(config.n_layer))", "nn.ModuleList([Block(config)] * config.n_layer)"),
)
misconception(
    "GPT",
    "The blocks are in a plain list, so the model does not know their parameters; use nn.ModuleList.",
    replace=("nn.ModuleList(Block(config) for _ in range(config.n_layer))", "[Block(config) for _ in range(config.n_layer)]"),
)
misconception(
    "GPT",
    "Only the tokens' embeddings are dropped; dropout comes after the positions are added.",
    replace=(
        "self.dropout(self.wte(ids) + self.wpe(torch.arange(n, device=ids.device)))",
        "self.dropout(self.wte(ids)) + self.wpe(torch.arange(n, device=ids.device))",
    ),
)
misconception("GPT", "The last block is left out.", replace=("for block in self.h:", "for block in self.h[:-1]:"))
misconception(
    "GPT",
    "The last norm has a bias also where `config.bias` is False: pass it on to `ln_f`, too.",
    replace=("bias=config.bias)", "bias=True)"),
)
misconception("GPT", "lm_head has a bias; GPT-2's has none.", replace=("config.vocab_size, bias=False", "config.vocab_size, bias=True"))

variant("GPT", replace=(
    ("self.wpe(torch.arange(n, device=ids.device))", "self.wpe.weight[:n]"), ("self.lm_head.weight = self.wte.weight", "self.wte.weight = self.lm_head.weight"),
    ("language_model_loss(logits, targets)", "F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))")))  # fmt: skip
variant("GPT", replace=(
    ("        for block in self.h:\n            x = block(x)\n", "        x = nn.Sequential(*self.h)(x)\n"), ("torch.arange(n, device=ids.device)", "torch.zeros_like(ids).cumsum(1) + torch.ones_like(ids).cumsum(1) - 1")))  # fmt: skip

# initialize

misconception(
    "initialize",
    "The residual projections are not scaled by 1/√(2 · n_layer).",
    replace=('residual = name.endswith("c_proj")', "residual = False"),
)
misconception(
    "initialize",
    "The residual projections are divided by √n_layer; each block adds twice, so it is √(2 · n_layer).",
    replace=("math.sqrt(2 * model.config.n_layer)", "math.sqrt(model.config.n_layer)"),
)
misconception(
    "initialize",
    "The residual projections are divided by 2 · n_layer; the root is missing.",
    replace=("math.sqrt(2 * model.config.n_layer)", "(2 * model.config.n_layer)"),
)
misconception(
    "initialize",
    "Only attention's c_proj is scaled; the feed-forward network writes into the stream too.",
    replace=('name.endswith("c_proj")', 'name.endswith("attn.c_proj")'),
)
misconception(
    "initialize",
    "Embeddings keep PyTorch's N(0, 1); they should have the standard deviation 0.02 too.",
    replace=("(nn.Linear, nn.Embedding)", "nn.Linear"),
)
misconception("initialize", "Biases are not set to 0.", replace=("            nn.init.zeros_(module.bias)", "            pass"))
misconception("initialize", "The norms' gains are not set to 1.", replace=("            nn.init.ones_(module.weight)", "            pass"))
misconception(
    "initialize",
    "The weights are uniform; GPT-2's are normal.",
    replace=(
        "nn.init.normal_(module.weight, 0.0, std, generator=generator)",
        "nn.init.uniform_(module.weight, -std * 3**0.5, std * 3**0.5, generator=generator)",
    ),
)
misconception(
    "initialize",
    "0.02 is the standard deviation, not the variance.",
    replace=(
        "nn.init.normal_(module.weight, 0.0, std, generator=generator)",
        "nn.init.normal_(module.weight, 0.0, std**0.5, generator=generator)",
    ),
)
misconception("initialize", "The generator is not used.", replace=(", generator=generator)", ")"))


@misconception("initialize", "The head's matrix is replaced, so it is no longer tied to the embedding.")
def unties(model, generator):
    for name, parameter in list(model.named_parameters()):
        std = 0.02 / math.sqrt(2 * model.config.n_layer) if "c_proj" in name else 0.02
        with torch.no_grad():
            if parameter.dim() > 1:
                parameter.normal_(0, std, generator=generator)
            else:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
    model.lm_head.weight = nn.Parameter(0.02 * torch.randn(model.lm_head.weight.shape, generator=generator))


@variant("initialize")
@torch.no_grad()
def by_parameter_names(model, generator):
    for name, p in model.named_parameters():
        if p.ndim == 1:
            p.copy_(torch.zeros_like(p) if name.endswith("bias") else torch.ones_like(p))
            continue
        p.copy_(torch.randn(p.shape, generator=generator) * 0.02)
        if name.endswith("c_proj.weight"):
            p /= (2 * len(model.h)) ** 0.5


@variant("initialize")
def by_apply(model, generator):
    def first(module):
        if hasattr(module, "weight") and module.weight is not None:
            if isinstance(module, nn.LayerNorm):
                module.reset_parameters()
            else:
                module.weight.data.normal_(std=0.02, generator=generator)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.data.zero_()

    model.apply(first)
    for block in model.h:
        for projection in (block.attn.c_proj, block.mlp.c_proj):
            torch.nn.init.normal_(projection.weight, mean=0.0, std=0.02 * (2 * model.config.n_layer) ** -0.5, generator=generator)
    return model


# parameter_groups

misconception(
    "parameter_groups",
    "Everything decays in your answer; biases and norms should not.",
    replace=(
        '"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0',
        '"params": [p for p in parameters if p.dim() < 2], "weight_decay": weight_decay',
    ),
)
misconception(
    "parameter_groups",
    "The groups are exchanged: matrices decay, vectors do not.",
    replace=(("p.dim() >= 2", "p.dim() == 1"), ("p.dim() < 2", "p.dim() != 1")),
)
misconception(
    "parameter_groups",
    "Vectors are left out, so they would never be trained.",
    replace=('        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},\n', ""),
)
misconception("parameter_groups", "Norms decay in your answer: only biases are spared.", replace=(
    ("parameters = [p for p in model.parameters() if p.requires_grad]", "named = dict(model.named_parameters())"),
    ("[p for p in parameters if p.dim() >= 2]", "[p for n, p in named.items() if not n.endswith('bias')]"), ("[p for p in parameters if p.dim() < 2]", "[p for n, p in named.items() if n.endswith('bias')]")))  # fmt: skip
misconception("parameter_groups", "Embeddings are matrices too and decay.", replace=(
    ("parameters = [p for p in model.parameters() if p.requires_grad]", "named = dict(model.named_parameters())"),
    ("[p for p in parameters if p.dim() >= 2]", "[p for n, p in named.items() if p.dim() >= 2 and 'wte' not in n and 'wpe' not in n]"), ("[p for p in parameters if p.dim() < 2]", "[p for n, p in named.items() if p.dim() < 2 or 'wte' in n or 'wpe' in n]")))  # fmt: skip
misconception(
    "parameter_groups",
    "The tied matrix is in the groups twice: wte and lm_head are one parameter.",
    replace=("model.parameters() if p.requires_grad", "(q for m in model.modules() for q in m.parameters(recurse=False))"),
)
misconception(
    "parameter_groups",
    "The groups hold copies: the optimizer would train them and leave the model as it is.",
    replace=(
        "for p in model.parameters() if p.requires_grad",
        "for p in map(nn.Parameter, (q.detach().clone() for q in model.parameters()))",
    ),
)
misconception(
    "parameter_groups",
    "The groups hold new parameters that share the model's numbers but get none of its gradients.",
    replace=("for p in model.parameters() if p.requires_grad", "for p in map(nn.Parameter, (q.detach() for q in model.parameters()))"),
)
misconception(
    "parameter_groups", "A parameter without dimensions, a single number, is in no group.", replace=("p.dim() < 2", "p.dim() == 1")
)


@variant("parameter_groups")
def by_names(model, weight_decay):
    named = {name: p for name, p in model.named_parameters()}
    vectors = [p for p in named.values() if p.ndim <= 1]
    return [dict(params=vectors, weight_decay=0.0), dict(params=[p for p in named.values() if p.ndim > 1], weight_decay=weight_decay)]


@variant("parameter_groups")
def one_group_each(model, weight_decay):
    return [{"params": [p], "weight_decay": weight_decay if len(p.shape) > 1 else 0} for p in model.parameters()]


# learning_rate

misconception(
    "learning_rate",
    "The warm-up begins one step early: step 0 has rate 0, step `warmup_steps` the full rate.",
    replace=("max_lr * step / warmup_steps", "max_lr * (step + 1) / (warmup_steps + 1)"),
)
misconception(
    "learning_rate",
    "The warm-up reaches max_lr one step early.",
    replace=("max_lr * step / warmup_steps", "max_lr * (step + 1) / warmup_steps"),
)
misconception(
    "learning_rate",
    "The cosine falls to 0; it should end at min_lr.",
    replace=("return min_lr + 0.5 * (max_lr - min_lr) *", "return 0.5 * max_lr *"),
)
misconception(
    "learning_rate",
    "The cosine begins at step 0; it should begin where the warm-up ends.",
    replace=("(step - warmup_steps) / (total_steps - warmup_steps)", "step / total_steps"),
)
misconception(
    "learning_rate",
    "The cosine lasts total_steps after the warm-up; it should end at total_steps.",
    replace=("(total_steps - warmup_steps)", "total_steps"),
)
misconception(
    "learning_rate",
    "This is a straight line down, not half a cosine.",
    replace=("0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))", "(max_lr - min_lr) * (1 - progress)"),
)
misconception(
    "learning_rate",
    "After total_steps the rate must stay at min_lr; the cosine would climb again.",
    replace=("    if step >= total_steps:\n        return min_lr\n", ""),
)
misconception("learning_rate", "This is a whole cosine; half of it leads down.", replace=("math.pi * progress", "2 * math.pi * progress"))


@variant("learning_rate")
def as_a_minimum(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return step / warmup_steps * max_lr
    share = min((step - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)
    return min_lr + (max_lr - min_lr) * (math.cos(share * math.pi) + 1) / 2


@variant("learning_rate")
def by_torch(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return float(torch.tensor(max_lr, dtype=torch.float64) * step / warmup_steps)
    share = torch.tensor((step - warmup_steps) / max(total_steps - warmup_steps, 1), dtype=torch.float64).clamp(max=1)
    if step >= total_steps:
        return min_lr
    return (max_lr + (min_lr - max_lr) * torch.sin(share * math.pi / 2) ** 2).item()


# sample_next

misconception(
    "sample_next", "The logits are multiplied by the temperature; divide by it.", replace=("logits / temperature", "logits * temperature")
)
misconception("sample_next", "The temperature is not used.", replace=("logits = logits / temperature", "logits = logits / 1.0"))
misconception("sample_next", "The temperature comes after top-p in your answer; it comes first.", replace=(
    ("    logits = logits / temperature\n", ""), ("    rows = probabilities", "    probabilities = probabilities ** (1 / temperature)\n    rows = probabilities")))  # fmt: skip
misconception(
    "sample_next",
    "The token that makes the mass reach top_p is dropped; it belongs to the nucleus.",
    replace=("mass_before >= top_p", "(ordered.cumsum(-1) > top_p) & (mass_before > 0)"),
)
misconception(
    "sample_next",
    "The nucleus has one token too many: stop when the mass has reached p.",
    replace=("mass_before >= top_p", "mass_before - ordered >= top_p"),
)
misconception(
    "sample_next",
    "Every token less likely than 1 − p is dropped; the nucleus is about the cumulated mass.",
    replace=("mass_before >= top_p", "(ordered < 1 - top_p) & (mass_before > 0)"),
)
misconception(
    "sample_next",
    "A p smaller than the largest probability leaves no token; at least one must stay.",
    replace=("mass_before >= top_p", "ordered.cumsum(-1) >= top_p"),
)
misconception(
    "sample_next",
    "After sorting, the kept probabilities are not put back in their places.",
    replace=("torch.zeros_like(probabilities).scatter(-1, order, ordered)", "ordered"),
)
misconception("sample_next", "top-p looks at the distribution before top-k; it should look at what top-k left, renormalised.", replace=(
    ("    if top_k is not None:\n        weakest_kept = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]\n        logits = logits.masked_fill(logits < weakest_kept, -math.inf)\n    probabilities = logits.softmax(-1)\n", "    probabilities = logits.softmax(-1)\n"),
    ("    rows = probabilities", "    if top_k is not None:\n        weakest_kept = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]\n        probabilities = probabilities.masked_fill(logits < weakest_kept, 0.0)\n    rows = probabilities")))  # fmt: skip
misconception("sample_next", "top-k keeps the k least likely tokens.", replace=(
    ("logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]", "logits.topk(min(top_k, logits.shape[-1]), largest=False).values[..., -1:]"), ("logits < weakest_kept", "logits > weakest_kept")))  # fmt: skip
misconception(
    "sample_next", "top-k keeps k + 1 tokens.", replace=("topk(min(top_k, logits.shape[-1]))", "topk(min(top_k + 1, logits.shape[-1]))")
)
misconception("sample_next", "top_k is ignored.", replace=("if top_k is not None:\n        weakest", "if False:\n        weakest"))
misconception("sample_next", "top_p is ignored.", replace=("if top_p is not None:\n        ordered", "if False:\n        ordered"))
misconception(
    "sample_next",
    "Always the most likely token: draw from the distribution.",
    replace=("torch.multinomial(rows, 1, generator=generator)", "rows.argmax(-1)"),
)
misconception(
    "sample_next",
    "The draw does not use the generator.",
    replace=("torch.multinomial(rows, 1, generator=generator)", "torch.multinomial(rows, 1)"),
)
misconception(
    "sample_next",
    "Temperature 0 divides by zero; it means argmax.",
    replace=("    if temperature == 0:\n        return logits.argmax(-1)\n", ""),
)
misconception("sample_next", "Dropped tokens get logit 0, which is not probability 0; use −∞.", replace=("-math.inf)", "0.0)"))
misconception("sample_next", "A top_k beyond the vocabulary must keep all tokens.", replace=("min(top_k, logits.shape[-1])", "top_k"))
misconception("sample_next", "A negative temperature must be a ValueError.", replace=("if temperature < 0:", "if False:"))
misconception(
    "sample_next", "A top_p outside (0, 1] must be a ValueError.", replace=("if top_p is not None and not 0 < top_p <= 1:", "if False:")
)


@variant("sample_next")
def with_gumbel_noise(logits, temperature, top_k, top_p, generator):
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and (top_p <= 0 or top_p > 1)):
        raise ValueError(f"bad temperature {temperature}, top_k {top_k} or top_p {top_p}")
    if temperature == 0:
        return torch.argmax(logits, dim=-1)
    sorted_logits, order = torch.sort(logits / temperature, dim=-1, descending=True)
    if top_k is not None:
        sorted_logits[..., top_k:] = float("-inf")
    if top_p is not None:
        mass = sorted_logits.softmax(-1).cumsum(-1)
        too_much = torch.roll(mass, 1, -1) >= top_p
        too_much[..., 0] = False
        sorted_logits[too_much] = float("-inf")
    noise = -torch.log(-torch.log(torch.rand(sorted_logits.shape, generator=generator, dtype=torch.float64, device=logits.device)))
    return order.gather(-1, (sorted_logits.double() + noise).argmax(-1, keepdim=True)).squeeze(-1)


@variant("sample_next")
def by_inverse_cumulative(logits, temperature, top_k, top_p, generator):
    if temperature < 0:
        raise ValueError("temperature")
    if top_k is not None and top_k <= 0:
        raise ValueError("top_k")
    if top_p is not None and not (0.0 < top_p <= 1.0):
        raise ValueError("top_p")
    if temperature == 0:
        return logits.max(dim=-1).indices
    p, order = torch.softmax(logits.double() / temperature, -1).sort(-1, descending=True)
    rank = torch.arange(p.shape[-1], device=p.device)
    if top_k is not None:
        p = p * (rank < top_k)
        p = p / p.sum(-1, keepdim=True)
    if top_p is not None:
        p = p * ((p.cumsum(-1) - p < top_p) | (rank == 0))
    edge = p.cumsum(-1)
    u = torch.rand(p.shape[:-1], generator=generator, dtype=torch.float64, device=p.device)[..., None] * edge[..., -1:]
    return order.gather(-1, (edge <= u).sum(-1, keepdim=True).clamp(max=p.shape[-1] - 1))[..., 0]


# generate

misconception(
    "generate", "The text is not cropped: past block_size the model cannot read it.", replace=("ids[:, -model.config.block_size :]", "ids")
)
misconception(
    "generate",
    "The first block_size tokens are kept; the model should see the last ones.",
    replace=("ids[:, -model.config.block_size :]", "ids[:, : model.config.block_size]"),
)
misconception(
    "generate",
    "The context is cropped one token too short.",
    replace=("ids[:, -model.config.block_size :]", "ids[:, -model.config.block_size + 1 :]"),
)
misconception(
    "generate",
    "The cropped text is returned; give all of it.",
    replace=(
        "logits, _ = model(ids[:, -model.config.block_size :])",
        "ids = ids[:, -model.config.block_size :]\n                logits, _ = model(ids)",
    ),
)
misconception("generate", "The model writes in training mode, with dropout.", replace=("    model.eval()\n", ""))
misconception("generate", "The model is left in eval mode.", replace=("model.train(was_training)", "pass"))
misconception(
    "generate",
    "The model is always put into training mode at the end; restore the mode it was in.",
    replace=("model.train(was_training)", "model.train()"),
)
misconception("generate", "Gradients are recorded while writing: use torch.no_grad().", replace=("with torch.no_grad():", "if True:"))
misconception(
    "generate",
    "Only the new tokens are returned; put `ids` before them.",
    replace=("    return ids", "    return ids[:, -n_new:] if n_new else ids[:, :0]"),
)
misconception(
    "generate", "The first position's logits are used; the last one's tell what comes next.", replace=("logits[:, -1]", "logits[:, 0]")
)
misconception(
    "generate",
    "Only the last token is read; the model needs its whole context.",
    replace=("ids[:, -model.config.block_size :]", "ids[:, -1:]"),
)
misconception("generate", "One token too many.", replace=("range(n_new)", "range(n_new + 1)"))
misconception(
    "generate",
    "top_k and top_p are not passed on.",
    replace=("temperature, top_k, top_p, generator)\n                ids", "temperature, None, None, generator)\n                ids"),
)
misconception(
    "generate",
    "The temperature is not passed on.",
    replace=("sample_next(logits[:, -1], temperature,", "sample_next(logits[:, -1], 1.0 if temperature else 0.0,"),
)
misconception(
    "generate",
    "The temperature changes with the text's length; it is the same for every token.",
    replace=("logits[:, -1], temperature,", "logits[:, -1], temperature * (1 + ids.shape[1] / 20),"),
)
misconception(
    "generate",
    "Where something raises an error the model stays in eval mode: restore its mode in a `finally`.",
    replace=("    finally:\n        model.train(was_training)", "    except KeyError:\n        pass\n    model.train(was_training)"),
)
misconception(
    "generate",
    "Gradients stay off after writing, so nothing can be trained any more: use torch.no_grad() in a `with`, or as a decorator.",
    replace=("        with torch.no_grad():", "        torch.set_grad_enabled(False)\n        if True:"),
)
misconception(
    "generate",
    "The first token is written in training mode: put the model into eval mode before it.",
    replace=(
        ("    model.eval()\n    try", "    try"),
        ("                ids = torch.cat", "                model.eval()\n                ids = torch.cat"),
    ),
)


@variant("generate")
@torch.inference_mode()
def into_a_buffer(model, ids, n_new, temperature, top_k, top_p, generator):
    pieces, mode = [ids], model.training
    raw, size = ids, model.config.block_size
    for _ in range(n_new):
        window = raw if raw.size(1) <= size else raw[:, raw.size(1) - size :]
        try:
            tail = model.eval()(window)[0][:, -1, :]
        finally:
            model.train(mode)
        if temperature == 0:
            new = tail.argmax(-1)
        else:
            tail = tail / temperature
            if top_k is not None:
                if top_k < 1:
                    raise ValueError("top_k must be at least 1")
                tail = torch.where(tail >= tail.topk(min(top_k, tail.size(-1)))[0][:, [-1]], tail, torch.tensor(-torch.inf))
            p, order = tail.softmax(-1).sort(descending=True)
            if top_p is not None:
                p = p * (p.cumsum(-1) - p < top_p)
            new = order.gather(1, torch.multinomial(p, 1, generator=generator))[:, 0]
        pieces.append(new[:, None])
        raw = torch.cat(pieces, 1)
    return raw.clone()


variant("generate", replace=(
    ("with torch.no_grad():", "with torch.inference_mode():"), ("ids = torch.cat([ids, new[:, None]], dim=1)", "ids = torch.hstack((ids, new.unsqueeze(-1)))"), ("    return ids", "    return ids.clone()")))  # fmt: skip

# train_step

misconception(
    "train_step", "The gradients of the pairs are summed; take their mean.", replace=("(loss / len(batches)).backward()", "loss.backward()")
)
misconception(
    "train_step",
    "Only the last pair's gradient is used: clear the gradients once for each step, not for each pair.",
    replace=("        (loss / len(batches)).backward()", "        optimizer.zero_grad()\n        (loss / len(batches)).backward()"),
)
misconception(
    "train_step",
    "Each pair is a step of its own; there should be one for all.",
    replace=(
        ("(loss / len(batches)).backward()", "loss.backward()\n        optimizer.step()\n        optimizer.zero_grad()"),
        ("    optimizer.step()\n    optimizer.zero_grad()\n    return", "    return"),
    ),
)
misconception(
    "train_step", "The gradients are never cleared, so every step adds to the last one's.", replace=("optimizer.zero_grad()", "pass")
)
misconception(
    "train_step",
    "No step is taken: `optimizer.step()` is missing, or the gradients are cleared before it.",
    replace=("    optimizer.step()\n    optimizer.zero_grad()\n", "    optimizer.zero_grad()\n    optimizer.step()\n"),
)
misconception(
    "train_step",
    "Each parameter's gradient is clipped by itself; clip the norm of all together.",
    replace=("nn.utils.clip_grad_norm_(model.parameters(), clip)", "[nn.utils.clip_grad_norm_([p], clip) for p in model.parameters()]"),
)
misconception(
    "train_step",
    "Single numbers of the gradient are clipped; clip the norm of all together.",
    replace=("nn.utils.clip_grad_norm_(model.parameters(), clip)", "nn.utils.clip_grad_value_(model.parameters(), clip)"),
)
misconception(
    "train_step",
    "Gradients are always scaled to norm `clip`; one below it should stay as it is.",
    replace=(
        "nn.utils.clip_grad_norm_(model.parameters(), clip)",
        "norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()\n        for p in model.parameters():\n            p.grad.mul_(clip / norm)",
    ),
)
misconception(
    "train_step",
    "The step is taken with gradients whose norm was not cut down to `clip`: do that, and before the step.",
    replace=(
        (
            "    if clip is not None:\n        nn.utils.clip_grad_norm_(model.parameters(), clip)\n    optimizer.step()\n",
            "    optimizer.step()\n    if clip is not None:\n        nn.utils.clip_grad_norm_(model.parameters(), clip)\n",
        )
    ),
)
misconception(
    "train_step",
    "The step is taken with gradients whose norm was not cut down to `clip`: do that, and before the step.",
    replace=("if clip is not None:", "if False:"),
)
misconception(
    "train_step",
    "Autocast stays on after the step: open it with `with`, around the forward pass alone.",
    replace=(
        "        with torch.autocast(x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None):\n            _, loss",
        "        if autocast_dtype is not None:\n            torch.autocast(x.device.type, dtype=autocast_dtype).__enter__()\n        if True:\n            _, loss",
    ),
)
misconception(
    "train_step",
    "Where the norm is far beyond `clip` no step is taken in your answer; scale the gradients down and take it.",
    replace=(
        "        nn.utils.clip_grad_norm_(model.parameters(), clip)",
        "        if nn.utils.clip_grad_norm_(model.parameters(), clip) > 20 * clip > 0:\n            optimizer.zero_grad()",
    ),
)
misconception("train_step", "The loss that comes back is a tensor; give a plain number.", replace=(".item()  # the only", "  # the only"))
misconception(
    "train_step", "`clip = 0` clips nothing in your answer; only `None` means that.", replace=("if clip is not None:", "if clip:")
)
misconception(
    "train_step", "The losses are summed; return their mean.", replace=("return (total / len(batches)).item()", "return total.item()")
)
misconception(
    "train_step",
    "The last pair's loss is returned; return the mean over all.",
    replace=("return (total / len(batches)).item()", "return loss.item()"),
)
misconception("train_step", "The model is not put into training mode.", replace=("    model.train()\n", ""))
misconception("train_step", "The model is left in eval mode.", replace=("    return (total", "    model.eval()\n    return (total"))
misconception(
    "train_step",
    "No step is taken: `optimizer.step()` is missing, or the gradients are cleared before it.",
    replace=("    optimizer.step()\n", ""),
)
misconception("train_step", "`autocast_dtype` is not used.", replace=("enabled=autocast_dtype is not None", "enabled=False"))
misconception(
    "train_step",
    "Autocast is always on; without `autocast_dtype` it must be off.",
    replace=("dtype=autocast_dtype, enabled=autocast_dtype is not None", "dtype=autocast_dtype or torch.bfloat16"),
)
misconception(
    "train_step",
    "No batches at all must be a ValueError.",
    replace=("    if not batches:\n", "    if not batches:\n        return 0.0\n    if not batches:\n"),
)
misconception(
    "train_step",
    "The gradients must be cleared at the end, so that nothing of this step is left.",
    replace=("    optimizer.step()\n    optimizer.zero_grad()\n", "    optimizer.step()\n"),
)


@variant("train_step")
def scaled_afterwards(model, optimizer, batches, clip=None, autocast_dtype=None):
    from contextlib import nullcontext

    n = len(batches)
    if n == 0:
        raise ValueError("batches is empty")
    model.train()
    losses = []
    for x, y in batches:
        with nullcontext() if autocast_dtype is None else torch.autocast(device_type=x.device.type, dtype=autocast_dtype):
            loss = model(x, y)[1]
        loss.backward()
        losses.append(loss.detach())
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    torch._foreach_div_(gradients, n)
    if clip is not None:
        norm = torch.sqrt(sum((g**2).sum() for g in gradients))
        torch._foreach_mul_(gradients, min(1.0, clip / (float(norm) + 1e-6)))
    optimizer.step()
    model.zero_grad(set_to_none=False)
    return float(torch.stack(losses).mean())


variant("train_step", replace=(
    ("        (loss / len(batches)).backward()\n        total += loss.detach()\n", "        total = total + loss / len(batches)\n"),
    ("    if clip is not None:", "    total.backward()\n    if clip is not None:"), ("return (total / len(batches)).item()", "return total.item()")))  # fmt: skip

# generate_cached

misconception(
    "generate_cached",
    "A new token is read at position 0; it stands behind all that was read before it.",
    replace=("model.wpe.weight[begin:end]", "model.wpe.weight[: end - begin]"),
)
misconception(
    "generate_cached",
    "A new token's position is one too high: the first token stands at 0.",
    replace=("model.wpe.weight[begin:end]", "model.wpe.weight[begin + (begin > 0) : end + (begin > 0)]"),
)
misconception(
    "generate_cached",
    "With one query and many keys `is_causal=True` lets the query see the first key alone.",
    replace=("is_causal=begin == 0", "is_causal=True"),
)
misconception(
    "generate_cached",
    "The prompt is read without the causal mask, so its tokens see what comes after them.",
    replace=("is_causal=begin == 0", "is_causal=False"),
)
misconception(
    "generate_cached", "Nothing is kept: the new token sees itself alone.", replace=("*kept[:, :, :, :end]", "*kept[:, :, :, begin:end]")
)
misconception("generate_cached", "Past the end of the block the cache goes on: there every token has another position, and the window must be read anew.", replace=(
    ("past.length, unread = 0, ids[:, -block_size:]", "past.length -= 1\n                    for kept in past.kept:\n                        kept.copy_(kept.roll(-1, 3))")))  # fmt: skip
misconception("generate_cached", "Past the end of the block your text stops to grow, or an error ends it: read the window of the last block_size tokens anew.", replace=(
    "if past.length + unread.shape[1] > block_size:", "if False:"))  # fmt: skip
misconception("generate_cached", "Past the end of the block the cache is emptied, and the text before it forgotten: read the whole window anew.", replace=(
    "past.length, unread = 0, ids[:, -block_size:]", "past.length = 0"))  # fmt: skip
misconception(
    "generate_cached",
    "The window is given up one token too early: a text of block_size tokens fits.",
    replace=("unread.shape[1] > block_size:", "unread.shape[1] >= block_size:"),
)
misconception(
    "generate_cached",
    "All blocks share one cache: each has keys and values of its own.",
    replace=("for _ in model.h]", "for _ in model.h[:1]] * len(model.h)"),
)
misconception("generate_cached", "This is `generate` once more: every position goes through the model again for each token.", replace=(
    "if past.length + unread.shape[1] > block_size:", "if True:"))  # fmt: skip
misconception(
    "generate_cached",
    "Keys and values are exchanged.",
    replace=("in layer.c_attn(x).chunk(3, dim=-1))", "in layer.c_attn(x).unflatten(-1, (3, -1))[..., [0, 2, 1], :].unbind(-2))"),
)
misconception("generate_cached", "The last norm is left out.", replace=("model.lm_head(model.ln_f(x[:, -1]))", "model.lm_head(x[:, -1])"))
misconception("generate_cached", "ln_1 is left out.", replace=("block.ln_1(x)", "x"))
misconception("generate_cached", "The keys are kept before their norm: what is kept comes from x, not from ln_1(x).", replace=(
    ("kept[0, :, :, begin:end], kept[1, :, :, begin:end] = k, v", "kept[0, :, :, begin:end], kept[1, :, :, begin:end] = k, k")))  # fmt: skip
misconception("generate_cached", "The model writes in training mode, with dropout.", replace=("    model.eval()\n", ""))
misconception("generate_cached", "The model is left in eval mode.", replace=("model.train(was_training)", "pass"))
misconception(
    "generate_cached",
    "top_k and top_p are not passed on.",
    replace=("temperature, top_k, top_p, generator)[:, None]", "temperature, None, None, generator)[:, None]"),
)
misconception(
    "generate_cached",
    "Only the new tokens are returned; put `ids` before them.",
    replace=("    return ids\n", "    return ids[:, ids.shape[1] - n_new :]\n"),
)
misconception(
    "generate_cached",
    "The texts of a batch share the first one's keys and values.",
    replace=("*kept[:, :, :, :end]", "*kept[:, :1, :, :end].expand(-1, len(q), -1, -1, -1)"),
)

_KEPT: dict = {}


@misconception("generate_cached", "What an earlier call kept is used again: each call begins with an empty cache.")
def keeps_across_calls(model, ids, n_new, temperature, top_k, top_p, generator):
    was_training, size, given = model.training, model.config.block_size, ids.shape[1]
    model.eval()
    try:
        with torch.no_grad():
            for _ in range(n_new):
                key = (id(model), ids.shape[1], len(ids))
                if key not in _KEPT or ids.shape[1] > given:
                    _KEPT[key] = model(ids[:, -size:])[0][:, -1]
                ids = torch.cat([ids, _sample(_KEPT[key], temperature, top_k, top_p, generator)[:, None]], 1)
    finally:
        model.train(was_training)
    return ids


def _sample(logits, temperature, top_k, top_p, generator):
    """The right draw, for answers that are wrong, or unusual, elsewhere."""
    if top_k is not None and top_k < 1:
        raise ValueError("top_k must be at least 1")
    if temperature == 0:
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k is not None:
        logits = logits.masked_fill(logits < logits.topk(min(top_k, logits.shape[-1])).values[..., -1:], -math.inf)
    p = logits.softmax(-1)
    if top_p is not None:
        ordered, order = p.sort(-1, descending=True)
        p = torch.zeros_like(p).scatter(-1, order, ordered.masked_fill(ordered.cumsum(-1) - ordered >= top_p, 0.0))
    return torch.multinomial(p, 1, generator=generator)[:, 0]


@variant("generate_cached")
@torch.no_grad()
def with_lists_that_grow(model, ids, n_new, temperature, top_k, top_p, generator):
    """Keys and values in a list per block, joined at each step; attention by hand; the mask from positions."""
    mode, size, n_head = model.training, model.config.block_size, model.config.n_head
    try:
        model.train(False)
        past, unread, begin = [None] * len(model.h), ids[:, -size:], 0
        for _ in range(n_new):
            if begin + unread.size(1) > size:
                past, unread, begin = [None] * len(model.h), ids[:, -size:], 0
            where = torch.arange(begin, begin + unread.size(1), device=ids.device)
            x = model.wte(unread) + model.wpe(where)
            for i, block in enumerate(model.h):
                q, k, v = (t.reshape(*t.shape[:2], n_head, -1).transpose(1, 2) for t in block.attn.c_attn(block.ln_1(x)).chunk(3, -1))
                if past[i] is not None:
                    k, v = torch.cat([past[i][0], k], 2), torch.cat([past[i][1], v], 2)
                past[i] = (k, v)
                future = torch.arange(k.size(2), device=ids.device)[None] > where[:, None]
                weights = (q @ k.mT / k.size(-1) ** 0.5).masked_fill(future, -math.inf).softmax(-1)
                x = x + block.attn.c_proj((weights @ v).transpose(1, 2).flatten(2))
                x = x + block.mlp(block.ln_2(x))
            begin += unread.size(1)
            unread = _sample(model.lm_head(model.ln_f(x))[:, -1], temperature, top_k, top_p, generator)[:, None]
            ids = torch.hstack([ids, unread])
    finally:
        model.train(mode)
    return ids.clone()


@variant("generate_cached")
def plain_past_the_block(model, ids, n_new, temperature, top_k, top_p, generator):
    """The prompt token by token, and past the end of the block the model's own forward."""
    mode, size, n_head, given = model.training, model.config.block_size, model.config.n_head, ids.shape[1]
    keys, values = [[] for _ in model.h], [[] for _ in model.h]
    model.eval()
    try:
        with torch.inference_mode():
            for at in range(given + n_new - 1 if n_new else 0):
                if at >= size or given > size:
                    if at < given - 1:
                        continue
                    logits = model(ids[:, -size:])[0][:, -1]
                else:
                    x = model.wte(ids[:, at]) + model.wpe.weight[at]
                    for block, ks, vs in zip(model.h, keys, values):
                        q, k, v = block.attn.c_attn(block.ln_1(x)).unflatten(-1, (3, n_head, -1)).unbind(1)
                        ks.append(k), vs.append(v)
                        k, v = torch.stack(ks, 1), torch.stack(vs, 1)
                        weights = torch.einsum("bhd,bnhd->bnh", q / q.shape[-1] ** 0.5, k).softmax(1)
                        x = x + block.attn.c_proj(torch.einsum("bnh,bnhd->bhd", weights, v).flatten(1))
                        x = x + block.mlp(block.ln_2(x))
                    logits = model.lm_head(model.ln_f(x))
                if at >= given - 1:
                    ids = torch.cat([ids, _sample(logits, temperature, top_k, top_p, generator)[:, None]], 1)
    finally:
        model.train(mode)
    return ids.clone()


variant("generate_cached", replace=(("past, unread = Past(model, len(ids)), ids[:, -block_size:]", "past, unread = Past(model, len(ids)), ids[:, -min(block_size, ids.shape[1]) :]"), (
    "x = model.wte(ids) + model.wpe.weight[begin:end]", "x = model.wte(ids) + model.wpe(torch.arange(begin, end, device=ids.device))")))  # fmt: skip

# FastAttention

misconception("FastAttention", "q and k are not normalised.", replace=("F.rms_norm(u, (d_head,)).unflatten", "u.unflatten"))
misconception(
    "FastAttention",
    "q and k are normalised over all heads together; each head has its own norm.",
    replace=("F.rms_norm(u, (d_head,))", "(u / u.pow(2).mean((-3, -1), keepdim=True).sqrt())"),
)
misconception("FastAttention", "The positions are missing.", replace=("angles = torch.arange(n, ", "angles = 0 * torch.arange(n, "))
misconception("FastAttention", "c_proj is not zero at first.", replace=("        nn.init.zeros_(self.c_proj.weight)\n", ""))
misconception("FastAttention", "The attention is not causal.", replace=("is_causal=True", "is_causal=False"))
misconception(
    "FastAttention", "The values are turned too; only q and k are.", replace=("turned(k), v, is_causal", "turned(k), turned(v), is_causal")
)
misconception("FastAttention", "Halves are turned together, (x₀, x_{d/2}), …; the lesson's pairs are neighbours.", replace=(
    (".unflatten(-1, (-1, 2)).unbind(-1)", ".chunk(2, dim=-1)"), ("torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)", "torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)")))  # fmt: skip
variant("FastAttention", replace=("F.rms_norm(u, (d_head,))", "(u * u.pow(2).mean(-1, keepdim=True).rsqrt())"))


# From public code and its issue trackers


for other in (-1, 0):
    misconception(
        "mask_for_infilling",
        "Where nothing was selected your labels are another number; they must be −100.",
        replace=("torch.where(selected, ids, -100)", f"torch.where(selected, ids, {other})"),
    )
# the numbers of the random tokens may be drawn first
variant(
    "mask_for_infilling",
    replace=(
        (
            "    special = torch.isin(",
            "    drawn = torch.randint(vocab_size, ids.shape, generator=generator).to(ids)\n    special = torch.isin(",
        ),
        ("strangers = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)", "strangers = drawn"),
    ),
)
misconception(
    "mask_for_infilling",
    "Hardly any selected token becomes a random one in your answer: of the selected ones about 80 % are masked and 20 % stay.",
    replace=("torch.where(selected & (fate >= 0.9), strangers, inputs)", "inputs"),
)
misconception(
    "mask_for_infilling",
    "Your random tokens are tokens of the text itself; they come from the whole vocabulary.",
    replace=(
        "strangers = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)",
        "strangers = ids.flatten()[torch.randint(ids.numel(), ids.shape, generator=generator)]",
    ),
)
misconception(
    "mask_for_infilling",
    "Token 0 is never drawn as a random token; they come from 0 … vocab_size − 1.",
    replace=("torch.randint(vocab_size, ids.shape", "torch.randint(1, vocab_size, ids.shape"),
)
misconception(
    "language_model_loss",
    "Targets that are token 0 do not count in your loss; only those equal to `ignore_index` are left out.",
    replace=("counted = targets != ignore_index", "counted = (targets != ignore_index) & (targets > 0)"),
)
misconception(
    "language_model_loss",
    "The targets are shifted once more inside the loss; get_batch has shifted them already.",
    replace=("    counted =", "    if targets.ndim > 1:\n        logits, targets = logits[..., :-1, :], targets[..., 1:]\n    counted ="),
)
misconception(
    "FeedForward",
    "This is what you get with x · sigmoid(1.702 x), another approximation of GELU; GPT-2's is the tanh one.",
    replace=('F.gelu(self.c_fc(x), approximate="tanh")', "self.c_fc(x) * torch.sigmoid(1.702 * self.c_fc(x))"),
)
misconception(
    "CausalSelfAttention",
    "c_attn is unpacked head by head (q, k and v of the first head, then of the second); all queries come first, then all keys, then all values.",
    replace=(
        "(part.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for part in self.c_attn(x).chunk(3, dim=-1))",
        "self.c_attn(x).unflatten(-1, (self.n_head, -1)).transpose(-3, -2).chunk(3, dim=-1)",
    ),
)
misconception(
    "CausalSelfAttention",
    "The scores are divided by d_head (at once, or by its root twice); divide by √d_head once.",
    replace=("is_causal=True)", "is_causal=True, scale=1 / q.shape[-1])"),
)
misconception(
    "CausalSelfAttention",
    "The future is set to zero after the softmax, so the weights that are left do not sum to one: mask the scores.",
    replace=(
        "F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "F.dropout((q @ k.mT / q.shape[-1] ** 0.5).softmax(-1).tril(), p) @ v",
    ),
)
misconception("Block", "Attention gets x as it is: ln_1 stands in front of it.", replace=("self.attn(self.ln_1(x))", "self.attn(x)"))
misconception(
    "GPT",
    "Positions are looked up by token: wpe is asked for 0, 1, 2, …, whatever the tokens are.",
    replace=("self.wpe(torch.arange(n, device=ids.device))", "self.wpe(ids % self.config.block_size)"),
)
misconception("GPT", "ln_f follows every block; it comes once, after the last one.", replace=("x = block(x)", "x = self.ln_f(block(x))"))
misconception(
    "initialize",
    "The residual projections are multiplied by √(2 · n_layer); they are divided by it.",
    replace=("0.02 / math.sqrt(2 * model.config.n_layer)", "0.02 * math.sqrt(2 * model.config.n_layer)"),
)
misconception(
    "initialize",
    "wpe has half the standard deviation; it has 0.02 like the other embedding.",
    replace=("nn.init.normal_(module.weight, 0.0, std,", 'nn.init.normal_(module.weight, 0.0, std / 2 if name == "wpe" else std,'),
)
misconception(
    "learning_rate",
    "This is a quarter of a cosine; half of one leads from max_lr to min_lr.",
    replace=("0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))", "(max_lr - min_lr) * math.cos(math.pi / 2 * progress)"),
)
misconception(
    "learning_rate",
    "The warm-up begins at min_lr; it begins at 0.",
    replace=("max_lr * step / warmup_steps", "min_lr + (max_lr - min_lr) * step / warmup_steps"),
)
misconception(
    "sample_next",
    "The mass is summed up in the order of the vocabulary; sort by probability first, the most likely token in front.",
    replace=(
        "probabilities.sort(-1, descending=True)",
        "probabilities, torch.arange(logits.shape[-1], device=logits.device).expand_as(logits)",
    ),
)
misconception(
    "sample_next",
    "The nucleus begins with the least likely tokens: sort in falling order.",
    replace=("sort(-1, descending=True)", "sort(-1)"),
)
misconception(
    "sample_next",
    "What is drawn is a place among the sorted tokens: look up which token stands there.",
    replace=("torch.multinomial(rows, 1", "torch.multinomial(rows.sort(-1, descending=True).values, 1"),
)
misconception(
    "generate",
    "`n_new` is taken as the length of the whole text; it counts the new tokens.",
    replace=("for _ in range(n_new):", "while ids.shape[1] < n_new:"),
)
misconception(
    "generate",
    "The writing stops at token 0, which is a token like the others.",
    replace=(
        "ids = torch.cat([ids, new[:, None]], dim=1)",
        "ids = torch.cat([ids, new[:, None]], dim=1)\n                if (new == 0).any():\n                    break",
    ),
)
misconception(
    "train_step",
    "The gradients are clipped after each pair; clip once, when the mean over all pairs is there.",
    replace=(
        "(loss / len(batches)).backward()",
        "(loss / len(batches)).backward()\n        if clip is not None:\n            nn.utils.clip_grad_norm_(model.parameters(), clip)",
    ),
)
misconception(
    "train_step",
    "The loss is divided by the number of pairs twice; return their mean.",
    replace=("(total / len(batches)).item()", "(total / len(batches) ** 2).item()"),
)
misconception(
    "train_step",
    "The model's weights are turned into `autocast_dtype`; autocast leaves them as they are.",
    replace=("    model.train()\n", "    model.train()\n    model.to(autocast_dtype or torch.float32)\n"),
)
