# %% [markdown]
# # 05 · Positional encoding
# *Needs: lessons 03 and 04 (heads, the causal mask) · about 2 hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# > dog bites man
# >
# > man bites dog
#
# The first is no news and the second is. The words are the same; only their **order** differs. A recurrent network reads one word after
# the other, so order comes for free. Attention looks at all words at once, and its formula never mentions where a word stands. The lecture
# puts it this way: *Transformer attention as seen so far is position invariant. Position of a word in a sentence matters, how to encode
# this?*
#
# You will first measure the problem, then build four families of answers. Each is used in models that you may know:
#
# | where the position enters | scheme | used in |
# | --- | --- | --- |
# | added to the words | sinusoids (Vaswani et al. 2017); learned vectors (Gehring et al. 2017) | the first Transformer; BERT, GPT-2 |
# | turns queries and keys | rotary embedding, RoPE (Su et al. 2021) | GPT-J, Llama |
# | a fixed bias on the scores | ALiBi (Press, Smith and Lewis 2022) | BLOOM, MPT |
# | a learned bias on the scores | relative position buckets (Raffel et al. 2020) | T5 |
#
# At the end you train them all on short texts and test them on long ones.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `permutation_gap` | ●○○ | 8 | 2 |
# | 2 | `sinusoidal_encoding` | ●●○ | 15 | 4 |
# | 3 | `shift_matrix` | ●●● | 20 | 4 |
# | 4 | `LearnedPositionalEmbedding` | ●○○ | 10 | 3 |
# | 5 | `rotary_embedding` | ●●● | 20 | 5 |
# | 6 | `alibi_bias` | ●●○ | 12 | 3 |
# | 7 | `relative_position_bucket` | ●●○ | 15 | 3 |
# | | written question | | 15 | 3 |
# | ★ | `interpolated_rotary` (stretch) | ●●○ | 15 | – |

# %% tags=["setup"]
import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from autograde.notebook import open_lesson
from utils import plots
from utils.lesson import attempt
from utils.rotation_view import rotation_view

lesson = open_lesson("05_positional_encoding", globals())
check = lesson.check

# %% [markdown]
# **Conventions.** `...` in a shape stands for any number of batch dimensions, including none. Positions count from 0. Results keep the
# dtype and device of the inputs, and are as exact as that dtype allows; where there is no tensor among the inputs, they have PyTorch's
# default dtype (float32). Inputs are never changed in place. In this lesson attention itself is PyTorch's own. A figure that says it is waiting for your function draws itself once
# you have written it: run its cell again.

# %% [markdown]
# ## 1 · What attention cannot see
#
# Shuffle the rows of $X$ with a permutation $\pi$ and put the result through an attention layer without positions. Every query meets the
# same keys as before, only in another order; the softmax does not care about the order of its terms, nor does the weighted sum. So each
# word gets exactly the vector it got before, and the vectors are shuffled along:
#
# $$\text{layer}(X)_\pi = \text{layer}(X_\pi)$$
#
# The exact name of this is permutation *equivariance*; what is *invariant* is a pooled result such as the mean of the rows. The two
# sentences give the same set of vectors; all that differs is which row each stands in, and that was known before the layer. To put a
# number on how far a layer is from this, take the largest violation:
#
# $$\text{gap} = \max \left| \text{layer}(X)_\pi - \text{layer}(X_\pi) \right|$$
#
# *Worked number.* Let a "layer" add its row number to every row: $X = (5, 5, 5)^\top$ becomes $(5, 6, 7)^\top$. With $\pi = (1, 2, 0)$,
# the left side is $(6, 7, 5)^\top$, the right side is $(5, 6, 7)^\top$ again, and the gap is $|5 - 7| = 2$.

# %% [markdown]
# ### Exercise 1 · `permutation_gap` (●○○, 8 minutes, 2 points)
# `layer` is anything that can be called on `x (..., T, d)` and gives a tensor of shape `(..., T, anything)`. `permutation (T,)` holds row
# numbers.
#
# <details><summary>Hint 1</summary>
#
# Indexing with a tensor of row numbers shuffles: for `x (T, d)`, `x[permutation]`. With batch dimensions in front, which dimension holds
# the words?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Call the layer twice. One call's *result* is shuffled, the other call's *argument*. A Python float comes out of a one-element tensor by
# `.item()`.
#
# </details>

# %% exercise="permutation_gap"
def permutation_gap(
    layer: Callable[[Float[Tensor, "*batch T d"]], Float[Tensor, "*batch T d_out"]],
    x: Float[Tensor, "*batch T d"],
    permutation: Int[Tensor, "T"],
) -> float:
    """The largest |layer(x)[permutation] − layer(x[permutation])|, the words being the
    second last dimension.
    """
    ### BEGIN SOLUTION
    shuffled_after = layer(x)[..., permutation, :]
    shuffled_before = layer(x[..., permutation, :])
    return (shuffled_after - shuffled_before).abs().max().item()
    ### END SOLUTION


# %% check="permutation_gap" points=2
check(permutation_gap)

# %% [markdown]
# Here an attention layer with random weights reads both sentences. Compare the rows named *dog*: the same vector, wherever the dog stands.
# The title gives your gap for the permutation that turns one sentence into the other: only rounding is left.

# %%
SIZE = 16


def seeded(module, generator, std=None):
    """`module` with every matrix drawn from `generator` (standard deviation 1/√columns, or `std`) and every bias 0."""
    for name, parameter in module.named_parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=std or parameter.shape[-1] ** -0.5, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    return module


def attention_layer(seed=0, causal=False):
    """Self-attention with random weights, as a function of `x (T, SIZE)`."""
    layer = seeded(nn.MultiheadAttention(SIZE, 2, bias=False, batch_first=True), torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def attend(x):
        hidden = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool).triu(1) if causal else None  # here True means "may not look"
        return layer(x, x, x, attn_mask=hidden, need_weights=False)[0]

    return attend


DOG, BITES, MAN = torch.randn(3, SIZE, generator=torch.Generator().manual_seed(6))


# %% tags=["figure"]
def draw_two_sentences(figure):
    attend = attention_layer()
    sentences = {"dog bites man": torch.stack([DOG, BITES, MAN]), "man bites dog": torch.stack([MAN, BITES, DOG])}
    gap = permutation_gap(attend, sentences["dog bites man"], torch.tensor([2, 1, 0]))
    for ax, (text, x) in zip(figure.subplots(1, 2), sentences.items()):
        plots.heatmap(ax, attend(x), text.split(), [""] * SIZE, cmap=plots.DIVERGING, vmin=-1.5, vmax=1.5)
        ax.set_title(f"attention's output for “{text}”")
    figure.suptitle(f"permutation gap {gap:.0e}", fontsize=10)


plots.show(
    draw_two_sentences,
    alt="Attention's outputs for 'dog bites man' and for 'man bites dog' as two colour matrices: the same three rows, in another order",
    width=7.4,
    height=1.9,
)

# %% [markdown]
# And other layers? A feed-forward network treats each word alone, so its gap is 0 as well, up to rounding. A layer that treats a word
# together with its neighbours or with what came before, a convolution over several words or a recurrent network, has a gap. So has
# attention with a **causal** mask: word 0 sees one word, word 5 sees six, and this alone tells a layer something about order. (Language
# models without any positional encoding do learn where they are from it: Haviv et al. 2022.) Without a mask every word sees all words, and
# nothing is left that depends on the order.

# %% tags=["figure"]
def some_layers():
    """Layers by name, each a function of `x (T, SIZE)`."""
    generator = torch.Generator().manual_seed(5)
    feed_forward = seeded(nn.Sequential(nn.Linear(SIZE, 32), nn.GELU(), nn.Linear(32, SIZE)), generator)
    convolution = seeded(nn.Conv1d(SIZE, SIZE, 3, padding=1), generator, std=0.15)
    recurrent = seeded(nn.GRU(SIZE, SIZE, batch_first=True), generator)
    return {
        "recurrent (GRU)": lambda x: recurrent(x)[0],
        "convolution": lambda x: convolution(x.mT).mT,
        "attention, causal mask": attention_layer(causal=True),
        "attention": attention_layer(),
        "feed-forward": feed_forward,
    }


def draw_gaps(figure):
    generator = torch.Generator().manual_seed(2)
    x, permutation = torch.randn(7, SIZE, generator=generator), torch.randperm(7, generator=generator)
    gaps = {name: permutation_gap(layer, x, permutation) for name, layer in some_layers().items()}
    colors = [plots.GREY if gap < 1e-4 else plots.BLUE for gap in gaps.values()]
    ax = figure.subplots()
    bars = ax.barh(list(gaps), [max(gap, 1e-9) for gap in gaps.values()], color=colors, height=0.6)
    ax.bar_label(bars, [f"{gap:.1f}" if gap > 0.1 else f"{gap:.0e}" if gap else "0" for gap in gaps.values()], padding=4)
    ax.set(xscale="log", xlim=(1e-9, 1e2), xlabel="permutation gap (logarithmic)")


plots.show(
    draw_gaps,
    alt="Permutation gaps of five layers: about 1e-6 or less for feed-forward and attention, about 1 or more for causal attention, "
    "convolution and GRU",
    width=6.4,
    height=2.3,
)

# %% [markdown]
# ## 2 · A clock with many hands
#
# The first remedy: give each position a vector of its own and **add** it to the word standing there, so that *dog* at position 0 and *dog*
# at position 2 enter the layer as different vectors. Vaswani et al. (2017, §3.5) fill the vector with sine waves. For the pair of columns
# $2i$ and $2i + 1$, where $0 \le i < d/2$:
#
# $$PE_{t,\,2i} = \sin(t\,\theta_i), \qquad PE_{t,\,2i+1} = \cos(t\,\theta_i), \qquad
# \theta_i = \text{base}^{-2i/d}, \qquad \text{base} = 10000$$
#
# Read each pair as the hand of a clock. The first turns by 1 radian per word, a full turn in about 6 words. Each next hand is slower; the
# last needs $2\pi \cdot 10000^{1 - 2/d}$ words for a turn, 47,000 for $d = 64$. The fast hands tell neighbours apart, the slow ones tell
# the beginning from the end, as seconds and hours do.
#
# *Worked number.* For $d = 4$ the speeds are $\theta_0 = 1$ and $\theta_1 = 10000^{-2/4} = 0.01$. Position 0 is $(0, 1, 0, 1)$,
# position 1 is $(\sin 1, \cos 1, \sin 0.01, \cos 0.01) = (0.84, 0.54, 0.01, 1.00)$ and position 2 is $(0.91, -0.42, 0.02, 1.00)$.
#
# (Some code puts all sines first and then all cosines. That is the same up to a fixed order of the columns; here sines and cosines
# alternate, as in the paper.)

# %% [markdown]
# ### Exercise 2 · `sinusoidal_encoding` (●●○, 15 minutes, 4 points)
#
# <details><summary>Hint 1</summary>
#
# All angles at once: a column of positions `(n_positions, 1)` times a row of speeds `(d_model // 2,)`, by broadcasting. How many different
# speeds are there?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Two ways to make sines and cosines alternate: assign to `table[:, 0::2]` and to `table[:, 1::2]`, or stack the two in a new last
# dimension and flatten it.
#
# </details>

# %% exercise="sinusoidal_encoding"
def sinusoidal_encoding(
    n_positions: int, d_model: int, base: float = 10000.0
) -> Float[Tensor, "n_positions d_model"]:
    """The table PE: sin(t θ_i) in column 2i, cos(t θ_i) in column 2i + 1
    (Vaswani et al. 2017, §3.5).

    An odd `d_model` is a ValueError.
    """
    ### BEGIN SOLUTION
    if d_model % 2:
        raise ValueError(f"d_model must be even, got {d_model}")
    speeds = base ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(n_positions)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
    ### END SOLUTION


# %% check="sinusoidal_encoding" points=4
check(sinusoidal_encoding)

# %% [markdown]
# The lecture's picture, with your numbers: *embedding with time signal = positional encoding + embedding*, for *Je suis étudiant* and four
# numbers per word.

# %% tags=["figure"]
def draw_time_signal(figure):
    words = ["Je", "suis", "étudiant"]
    embeddings = torch.randn(3, 4, generator=torch.Generator().manual_seed(23)) * 0.7
    encoding = sinusoidal_encoding(3, 4)
    panels = {"embedding with time signal": embeddings + encoding, "positional encoding": encoding, "embedding": embeddings}
    axes = figure.subplots(1, 3)
    for i, (ax, (name, values)) in enumerate(zip(axes, panels.items())):
        plots.heatmap(ax, values, words if i == 0 else [""] * 3, [""] * 4, cmap=plots.DIVERGING, annotate=True, vmin=-2, vmax=2)
        ax.set_title(name)
    for ax, sign in zip(axes, "=+"):
        ax.text(1.08, 0.5, sign, transform=ax.transAxes, ha="center", va="center", fontsize=15)


plots.show(
    draw_time_signal,
    alt="Three 3 by 4 matrices, one row each for Je, suis, étudiant: the embedding with time signal equals the positional encoding "
    "plus the embedding",
    width=7.4,
    height=1.9,
)

# %% [markdown]
# A longer table. On the left every row is a position: the columns change ever more slowly from left to right. On the right, single
# columns as waves.

# %% tags=["figure"]
def draw_clock(figure):
    table = sinusoidal_encoding(100, 64)
    left, right = figure.subplots(1, 2, width_ratios=[5, 6])
    image = left.imshow(table, cmap=plots.DIVERGING, aspect="auto", vmin=-1, vmax=1)
    left.set(xlabel="column", ylabel="position", title="sinusoidal_encoding(100, 64)")
    figure.colorbar(image, ax=left, fraction=0.046, pad=0.03).outline.set_visible(False)
    for row, column in enumerate((0, 8, 16, 24, 32)):
        right.plot(table[:, column] - 2.5 * row, color=plots.CYCLE[row])
        right.text(101, table[-1, column] - 2.5 * row, f"column {column}", va="center", color=plots.CYCLE[row], fontsize=8)
    right.set(xlabel="position", yticks=[], xlim=(0, 122), title="five of its columns")
    right.spines["left"].set_visible(False)


plots.show(
    draw_clock,
    alt="Left: the table of 100 positions and 64 columns, fast stripes on the left, nearly constant on the right. Right: columns "
    "0, 8, 16, 24 and 32 as sine waves, each slower",
    width=7.4,
    height=3.2,
)

# %% [markdown]
# ### Who bites?
# A small test of what order is worth: all sentences *A bites B* over 12 nouns. Some pairs of nouns are kept for the test, in both orders.
# Four models read the words and must name the biter (their result is the mean over the words):
#
# - a **bag of words**: the mean of the word vectors, nothing else;
# - the bag with your positions added to the words;
# - attention without positions, then the mean;
# - attention with your positions, then the mean.
#
# Before you run it: which of the four can do better than a coin?

# %%
NOUNS = "dog man cat bird child fox horse mouse snake woman goose bear".split()


class WhoBites(nn.Module):
    """Three words → (positions) → (attention) → their mean → a score for every noun as the one who bites."""

    def __init__(self, generator, attends, ordered, d_model=32):
        super().__init__()
        self.attends, self.ordered = attends, ordered
        self.words = nn.Embedding(len(NOUNS) + 1, d_model)
        self.attention = nn.MultiheadAttention(d_model, 1, bias=False, batch_first=True)
        self.predict = nn.Linear(d_model, len(NOUNS), bias=False)
        seeded(self, generator)

    def forward(self, ids):
        x = self.words(ids)
        if self.ordered:
            x = x + sinusoidal_encoding(ids.shape[-1], x.shape[-1])
        if self.attends:
            x = x + self.attention(x, x, x, need_weights=False)[0]
        return self.predict(x.mean(dim=-2))


def bite_sentences(generator, held_out=13):
    """(training, test): sentences `(n, 3)` of word numbers, *A bites B*; no pair of nouns of the test occurs in training."""
    pairs = torch.combinations(torch.arange(len(NOUNS)))
    pairs = pairs[torch.randperm(len(pairs), generator=generator)]
    bites = len(NOUNS)  # the verb's number

    def both_orders(pairs):
        pairs = torch.cat([pairs, pairs.flip(1)])
        return torch.stack([pairs[:, 0], torch.full((len(pairs),), bites), pairs[:, 1]], dim=1)

    return both_orders(pairs[held_out:]), both_orders(pairs[:held_out])


def biter_accuracy(attends, ordered, seed, steps=150):
    """Train on naming the first noun; the share of test sentences answered rightly."""
    generator = torch.Generator().manual_seed(seed)
    training, test = bite_sentences(generator)
    model = WhoBites(generator, attends, ordered)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = F.cross_entropy(model(training), training[:, 0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return float((model(test).argmax(dim=-1) == test[:, 0]).double().mean())


# %% tags=["experiment"]
def who_bites():
    """Test accuracy of the four models, for three seeds each."""
    kinds = {"bag of words": (False, False), "bag + positions": (False, True)}
    kinds |= {"attention": (True, False), "attention + positions": (True, True)}
    return {name: [biter_accuracy(*kind, seed) for seed in range(3)] for name, kind in kinds.items()}


biters = attempt(who_bites)


# %% tags=["figure"]
def draw_biters(figure):
    ax = figure.subplots()
    means = [sum(runs) / len(runs) for runs in biters.values()]
    bars = ax.bar(list(biters), means, color=[plots.GREY, plots.GREY, plots.GREY, plots.BLUE], width=0.6)
    ax.bar_label(bars, fmt="{:.0%}", label_type="center", color="white")
    ax.axhline(0.5, color=plots.RED, linestyle=":", linewidth=1.2, zorder=0)
    ax.set(ylim=(0, 1.05), ylabel="right on new pairs", yticks=[0, 0.5, 1], yticklabels=["0%", "50%", "100%"])


plots.show(
    draw_biters,
    alt="Share of right answers on new pairs of nouns: 50% for the bag of words and for the bag with positions, at most 50% for "
    "attention without positions, 100% for attention with positions",
    width=6.4,
    height=2.6,
)

# %% [markdown]
# The first three models give both orders the same answer, so at most one of the two can be right: 50% at best, and no training could help.
# (Less than 50% means that a model named a third noun for some pair.) Note the second bar: adding a position is not enough if all that
# follows is a sum. $(\text{dog} + p_0) + (\text{bites} + p_1) + (\text{man} + p_2)$ is the same sum for both orders. It needs something
# that is not linear in word plus position before the sum: attention's softmax is one such thing, a feed-forward network on each word
# would be another.

# %% [markdown]
# ## 3 · A step ahead is a rotation
#
# Why sines? Because of a property that the authors hoped a model could use: for a fixed offset $k$, the encoding of $t + k$ is a
# **linear** function of that of $t$, and the same one for every $t$ (Vaswani et al. 2017, §3.5). There is a matrix $M_k$ with
#
# $$PE_{t+k} = M_k \, PE_t \quad\text{for every } t, \qquad M_k \text{ of shape } (d, d)$$
#
# A head can thus learn "look 3 words back" as one matrix, instead of separately for every position. To find $M_k$, take one pair of columns
# and the addition theorems:
#
# $$\sin(a + b) = \sin a \cos b + \cos a \sin b, \qquad \cos(a + b) = \cos a \cos b - \sin a \sin b$$
#
# With $a = t\theta_i$ and $b = k\theta_i$ both right sides are combinations of $\sin a$ and $\cos a$, the two numbers that stand in
# $PE_t$. Different pairs do not mix.
#
# *Worked number.* $d = 2$, so $\theta_0 = 1$, and $k = 1$: with $\sin 1 = 0.84$ and $\cos 1 = 0.54$, the first line says that the new sine
# is $0.54$ times the old sine plus $0.84$ times the old cosine. Check it on $PE_1 = (0.8415, 0.5403)$:
# $0.5403 \cdot 0.8415 + 0.8415 \cdot 0.5403 = 0.9093 = \sin 2$.

# %% [markdown]
# ### Exercise 3 · `shift_matrix` (●●●, 20 minutes, 4 points)
# `offset` may be negative: a step back.
#
# <details><summary>Hint 1</summary>
#
# Write $M_k$ for $d = 2$ first: two rows, one for the new sine and one for the new cosine, with two columns, for the old sine and the old
# cosine.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For larger $d$ there is one such 2 × 2 block for every pair, along the diagonal, each with its own $\theta_i$; everything else is 0.
# `torch.block_diag(*blocks)` puts blocks along a diagonal.
#
# </details>

# %% exercise="shift_matrix"
def shift_matrix(
    offset: int, d_model: int, base: float = 10000.0
) -> Float[Tensor, "d_model d_model"]:
    """The matrix M with PE[t + offset] = M @ PE[t] for every t, where PE is the
    sinusoidal encoding with this `base`.
    """
    ### BEGIN SOLUTION
    if d_model % 2:
        raise ValueError(f"d_model must be even, got {d_model}")
    angles = offset * base ** (-torch.arange(0, d_model, 2) / d_model)
    sin, cos = angles.sin(), angles.cos()
    blocks = torch.stack([cos, sin, -sin, cos], dim=-1).reshape(-1, 2, 2)
    return torch.block_diag(*blocks)
    ### END SOLUTION


# %% check="shift_matrix" points=4
check(shift_matrix)

# %% [markdown]
# On the left your matrix for three steps ahead: fast pairs have turned far, slow pairs have hardly moved from the identity. In the middle,
# the encoding of positions 0 to 40 is carried three steps ahead by it and compared with the true one. On the right, a consequence: the dot
# product $PE_s \cdot PE_t = \sum_i \cos((t - s)\,\theta_i)$ depends on the offset $t - s$ only, whatever $s$ is, and is largest at 0.

# %% tags=["figure"]
def draw_shift(figure):
    table, matrix = sinusoidal_encoding(300, 64), shift_matrix(3, 12)
    left, middle, right = figure.subplots(1, 3, width_ratios=[4, 4, 5])
    plots.heatmap(left, matrix, [""] * 12, [""] * 12, cmap=plots.DIVERGING, vmin=-1, vmax=1)
    left.set(title="shift_matrix(3, 12)")
    short = sinusoidal_encoding(44, 12)
    middle.plot(short[3:, 0], color=plots.GREY, linewidth=5, alpha=0.35, label="true")
    middle.plot((short[:41] @ matrix.mT)[:, 0], color=plots.BLUE, linewidth=1.4, label="carried")
    middle.set(title="column 0, three steps ahead", xlabel="position", ylim=(-1.2, 2.1), yticks=[-1, 0, 1])
    middle.legend(ncols=2, loc="upper left")
    offsets = torch.arange(-60, 61)
    for start, style in ((80, "-"), (200, ":")):
        right.plot(offsets, table[start + offsets] @ table[start], style, label=f"s = {start}", linewidth=2)
    right.set(title="PE[s] · PE[s + offset]", xlabel="offset")
    right.legend(loc="upper left")


plots.show(
    draw_shift,
    alt="Left: a block-diagonal 12 by 12 matrix. Middle: the carried encoding lies on the true one. Right: dot products of "
    "encodings against the offset, one peaked "
    "symmetric curve for both starting positions",
    width=7.6,
    height=2.7,
)

# %% [markdown]
# ## 4 · Or let the model learn them
#
# Why invent the vectors at all? One can make them parameters: a table with a row for each position, learned like the word vectors (Gehring
# et al. 2017). Vaswani et al. (2017, table 3, row E) tried both and found nearly the same quality. GPT-2 has such a table of 1,024 rows
# and BERT one of 512, and here lies the price: the table **ends**. Position 1,024 does not exist, so a longer text is an error, and a row
# that training never reached holds whatever it was initialised with.
#
# $$Z = X + P_{0:T} \quad\text{of shape } (\dots, T, d), \qquad P \text{ of shape } (\text{max positions}, d)$$
#
# *Worked number.* A GPT-2 with $d = 768$ spends $1024 \cdot 768 = 786{,}432$ parameters on positions.

# %% [markdown]
# ### Exercise 4 · `LearnedPositionalEmbedding` (●○○, 10 minutes, 3 points)
# The table is an `nn.Embedding` named `embedding`. A sequence longer than the table is a `ValueError` that gives the numbers: an index
# error from deep inside PyTorch (or, on a GPU, an assertion without a line number) helps nobody.
#
# <details><summary>Hint 1</summary>
#
# How many positions does `x (..., T, d_model)` have? Count from the end of its shape. The vectors of these positions have shape `(T,
# d_model)`, and broadcasting adds them to every sequence of the batch.
#
# </details>

# %% exercise="LearnedPositionalEmbedding"
class LearnedPositionalEmbedding(nn.Module):
    """A learned vector for each position, added to the words (Gehring et al. 2017).
    More than `max_positions` words are a ValueError.
    """

    def __init__(self, max_positions: int, d_model: int) -> None:
        ### BEGIN SOLUTION
        super().__init__()
        self.embedding = nn.Embedding(max_positions, d_model)
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "*batch T d_model"]
    ) -> Float[Tensor, "*batch T d_model"]:
        ### BEGIN SOLUTION
        n_positions, max_positions = x.shape[-2], self.embedding.num_embeddings
        if n_positions > max_positions:
            raise ValueError(
                f"x has {n_positions} positions, "
                f"more than max_positions = {max_positions}"
            )
        return x + self.embedding(torch.arange(n_positions, device=x.device))
        ### END SOLUTION


# %% check="LearnedPositionalEmbedding" points=3
check(LearnedPositionalEmbedding)

# %% [markdown]
# ## 5 · Turn the queries and the keys
#
# Added positions have two weaknesses: a score then depends on *where* the two words stand, though often only their distance matters; and
# the position uses the same dimensions as the word's meaning. Su et al. (2021) built on the rotation of section 3. Nothing is added to the
# words. Instead every **query and key** is turned, pair by pair, by an angle proportional to its position $m$:
#
# $$\begin{pmatrix} x'_{2i} \\ x'_{2i+1} \end{pmatrix} =
# \begin{pmatrix} \cos m\theta_i & -\sin m\theta_i \\ \sin m\theta_i & \cos m\theta_i \end{pmatrix}
# \begin{pmatrix} x_{2i} \\ x_{2i+1} \end{pmatrix}, \qquad \theta_i = \text{base}^{-2i/d}$$
#
# The dot product of two vectors is the product of their lengths and the cosine of the angle *between* them. A rotation changes no lengths.
# If the query's pair is turned by $m\theta$ and the key's by $n\theta$, the angle between them changes by $(m - n)\theta$. So the score
# depends on the two contents and on the offset $m - n$, whatever $m$ is (in floating point up to rounding). Values are not turned; the
# written question asks why.
#
# *Worked number.* $d = 4$, $m = 2$, $x = (1, 0, 1, 0)$. The first pair turns by $2 \cdot 1$, the second by $2 \cdot 0.01$:
# $x' = (\cos 2, \sin 2, \cos 0.02, \sin 0.02) = (-0.416, 0.909, 1.000, 0.020)$.
#
# (Two conventions are in use. The paper, GPT-J and Meta's own code for Llama turn neighbouring columns, (0, 1), (2, 3), …, as here;
# GPT-NeoX and Hugging Face's code for Llama turn column $i$ with column $i + d/2$. Weights trained with one need their columns reordered
# before they work with the other.)

# %% [markdown]
# ### Exercise 5 · `rotary_embedding` (●●●, 20 minutes, 5 points)
# `positions (T,)` says where each row of `x (..., T, d)` stands. It need not begin at 0 (with a key–value cache the next word stands at
# position 57, say), and it need not be whole.
#
# <details><summary>Hint 1</summary>
#
# The angles have shape `(T, d // 2)`. Take the even and the odd columns of `x` apart: both have shape `(..., T, d // 2)`, so the angles'
# sines and cosines broadcast over the batch.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Compute both new halves from the *old* ones before you put anything together, and let them alternate again at the end. Columns side by
# side, first all even ones and then all odd ones, are the other convention.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Mind dtype and device: a float64 `x` must come back as float64, and the speeds $\theta_i$ must be made where `x` lives.
#
# </details>

# %% exercise="rotary_embedding"
def rotary_embedding(
    x: Float[Tensor, "*batch T d"],
    positions: Int[Tensor, "T"] | Float[Tensor, "T"],
    base: float = 10000.0,
) -> Float[Tensor, "*batch T d"]:
    """`x` with the columns (0, 1), (2, 3), … of the row at position m turned by the
    angles m θ_i (Su et al. 2021, §3.4.2).
    """
    ### BEGIN SOLUTION
    d = x.shape[-1]
    if d % 2:
        raise ValueError(f"x must have an even last dimension, got {d}")
    # angles in bfloat16 would round position 257 to 256
    wide = torch.promote_types(x.dtype, torch.float32)
    speeds = base ** (-torch.arange(0, d, 2, device=x.device, dtype=wide) / d)
    angles = positions.to(wide)[:, None] * speeds
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack(
        [even * cos - odd * sin, even * sin + odd * cos], dim=-1
    ).flatten(-2).to(x.dtype)
    ### END SOLUTION


# %% check="rotary_embedding" points=5
check(rotary_embedding)

# %% [markdown]
# ### Turn it yourself
# One query and one key of 8 numbers, as four arrows each. Move the **first** slider: both turn along together, each pair at its own speed,
# and $q \cdot k$ stays what it was. Move the **second**: now the angle between them changes, and so does $q \cdot k$, along the green
# curve. All numbers were computed by your function.

# %% tags=["figure"]
VIEW_Q = torch.tensor([1.2, 0.3, 0.9, -0.6, 0.5, 0.8, 1.0, 0.2])
VIEW_K = torch.tensor([1.0, 0.6, 0.4, -0.9, 0.9, 0.5, 0.8, 0.6])


def turned(vector, n_positions=49, base=200.0):
    """One vector as it would stand at each position; a small base, so that every pair visibly turns."""
    return rotary_embedding(vector.expand(n_positions, -1), torch.arange(n_positions), base)


def build_rotation_view():
    return rotation_view(turned(VIEW_Q), turned(VIEW_K), farthest=24, position=30, offset=3)


def draw_rotation(figure):
    """The still picture: the first pair of columns at three offsets (at 3 the sliders begin), and the dot product at two positions."""
    queries, keys = turned(VIEW_Q), turned(VIEW_K)
    axes = figure.subplots(1, 4, width_ratios=[2, 2, 2, 4])
    for ax, offset in zip(axes, (0, 3, 6)):
        for vector, color, name in ((queries[30], plots.BLUE, "q"), (keys[30 - offset], plots.ORANGE, "k")):
            ax.annotate("", (float(vector[0]), float(vector[1])), (0, 0), arrowprops={"arrowstyle": "->", "color": color, "linewidth": 2})
            ax.text(1.15 * float(vector[0]), 1.15 * float(vector[1]), name, color=color, ha="center", va="center")
        ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal", xticks=[], yticks=[], title=f"offset {offset}")
        ax.spines[:].set_visible(False)
    for position, style, color in ((24, "-", plots.GREEN), (48, ":", plots.RED)):
        scores = [float(queries[position] @ keys[position - o]) for o in range(25)]
        axes[3].plot(scores, style, color=color, linewidth=2.4, label=f"query at {position}")
    axes[3].set(xlabel="offset", title="q · k")
    axes[3].legend()


ALT_ROTATION = (
    "Queries and keys turned by their positions: the angle between the arrows changes with the offset, by nearly a whole turn at 6, "
    "and q · k against the offset is one curve wherever the query stands"
)
view = attempt(build_rotation_view)
if view:
    plots.show_html(view, still=draw_rotation, alt=ALT_ROTATION, width=7.4, height=2.2)
else:
    plots.show(draw_rotation, alt=ALT_ROTATION, width=7.4, height=2.2)

# %% [markdown]
# How does the score of a key *like the query* change with distance? Take 2,000 random queries, let each meet its own copy as a key at a
# growing offset, and average $q \cdot k$. Close by, all pairs point the same way; far away the fast pairs point anywhere and only the slow
# ones still agree. (Su et al. 2021, §3.4.3, derive a bound of this shape and call it *long-term decay*.) It is a mean over vectors, and no
# law for a single pair: of the two vectors behind the sliders above, the score at offset 19 is larger than the one at offset 3.

# %% tags=["figure"]
def draw_decay(figure):
    vectors = torch.randn(2000, 1, 64, generator=torch.Generator().manual_seed(4))
    offsets = torch.arange(0, 257)
    ax = figure.subplots()
    for base, color in ((100.0, plots.ORANGE), (10000.0, plots.BLUE), (500000.0, plots.GREEN)):
        keys = rotary_embedding(vectors.expand(-1, len(offsets), -1), offsets, base)
        ax.plot(offsets, (keys @ vectors.mT)[..., 0].mean(0) / 64, color=color, label=f"base {base:,.0f}")
    ax.axhline(0, color=plots.GREY, linewidth=0.8)
    ax.set(xlabel="offset", ylabel="mean q · k, divided by d", title="A vector against itself, some positions away (d = 64)")
    ax.legend(ncols=3)


plots.show(
    draw_decay,
    alt="Mean dot product of a vector with itself against the offset for three bases: all fall with wiggles from one; the larger "
    "the base, the slower",
    width=6.4,
    height=2.7,
)

# %% [markdown]
# ## 6 · A fixed penalty on distance
#
# Press, Smith and Lewis (2022) tell a model about distance and nothing else. Words, queries and keys stay as they are. From the score of
# query $i$ and key $j$, head $h$ subtracts its slope times the distance (*attention with linear biases*, ALiBi):
#
# $$b^{(h)}_{ij} = \begin{cases} -\,m_h \,(i - j) & j \le i \\ -\infty & j > i \end{cases}
# \qquad m_h = 2^{-8h/H}, \quad h = 1, \dots, H \qquad \text{shape } (H, T, T)$$
#
# The bias is added to the scores after their division by $\sqrt{d_k}$. The upper triangle is the causal mask of lesson 03, so the bias can
# be used in its place. Nothing is learned, nothing ends, and a distance that never occurred in training is only a somewhat larger penalty.
#
# *Worked number.* With $H = 8$ heads the slopes are $\tfrac12, \tfrac14, \dots, \tfrac1{256}$. For three words, head 1 has
#
# $$\begin{pmatrix} 0 & -\infty & -\infty \\ -0.5 & 0 & -\infty \\ -1 & -0.5 & 0 \end{pmatrix}$$
#
# When contents are alike, a steep head looks at the last few words only; a flat one still gives weight to words hundreds back.

# %% [markdown]
# ### Exercise 6 · `alibi_bias` (●●○, 12 minutes, 3 points)
# The formula can be evaluated for any number of heads. The authors' code uses other slopes when the number is no power of two, so
# checkpoints differ from the formula there; here such a number is a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# All distances at once: a column of query positions minus a row of key positions, `(T, T)`. The slopes are `(n_heads,)`; which shape must
# they take to multiply every head's own `(T, T)`?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Write $-\infty$ only where it belongs (`masked_fill` or `torch.where`). Multiplying a matrix of zeros and ones by $-\infty$ gives NaN, as
# $0 \cdot \infty$ is undefined.
#
# </details>

# %% exercise="alibi_bias"
def alibi_bias(n_heads: int, n_positions: int) -> Float[Tensor, "n_heads T T"]:
    """The causal bias of every head, to be added to its scores (Press et al. 2022, §3).

    An `n_heads` that is no power of two is a ValueError.
    """
    ### BEGIN SOLUTION
    if n_heads < 1 or n_heads & (n_heads - 1):
        raise ValueError(f"n_heads must be a power of two, got {n_heads}")
    slopes = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)
    positions = torch.arange(n_positions)
    distance = positions[:, None] - positions
    return (-slopes[:, None, None] * distance).masked_fill(distance < 0, -math.inf)
    ### END SOLUTION


# %% check="alibi_bias" points=3
check(alibi_bias)

# %% [markdown]
# What a head of each slope sees when all contents are alike: the softmax of your bias, for the last of 64 words.

# %% tags=["figure"]
def draw_alibi(figure):
    bias = alibi_bias(8, 64)
    left, right = figure.subplots(1, 2, width_ratios=[3, 5])
    numbers = [str(i) for i in range(6)]
    shown = plots.heatmap(left, alibi_bias(8, 6)[0], numbers, numbers, cmap="Blues_r", annotate=False, vmin=-4, vmax=0.5)
    left.set(title="bias of head 1", xlabel="key j", ylabel="query i")
    for i in range(6):
        for j in range(i + 1):
            number, ground = f"{float(bias[0, i, j]):.1f}".replace("-0.0", "0.0"), shown.cmap(shown.norm(-(i - j) / 2))
            left.text(j, i, number, ha="center", va="center", fontsize=7, **plots.on(ground))
    for head in (0, 2, 4, 7):
        right.plot(bias[head, 63].softmax(dim=-1), label=f"head {head + 1}")
    right.set(yscale="log", ylim=(1e-5, 1), xlabel="key position (the query stands at 63)", title="weights, if all contents are alike")
    right.legend(ncols=2)


plots.show(
    draw_alibi,
    alt="Left: head 1's bias, 0 on the diagonal, falling by 0.5 per step to the left, empty above. Right: softmax weights of four "
    "heads; head 1 dies off within ten words, head 8 is nearly flat",
    width=7.4,
    height=2.9,
)

# %% [markdown]
# ## 7 · A learned bias, shared by many distances
#
# T5 (Raffel et al. 2020, §2.1) also adds a number to each score, but a *learned* one: every head owns a small table, with one number for
# each **bucket** of offsets. Buckets are fine near by and coarse far away: whether the key is 2 or 3 words off may decide the grammar;
# whether it is 82 or 83 hardly does. (The paper gives the numbers, 32 buckets up to an offset of 128; the formula below is that of the
# authors' code.)
#
# The offset is $r = \text{key position} - \text{query position}$. Half of the $n$ buckets are for keys at or before the query ($r \le 0$),
# the other half, numbered from $n/2$ on, for keys after it ($r > 0$). Within a half of $h = n/2$ buckets and with the distance $a = |r|$:
#
# - the first $e = h/2$ buckets hold one distance each: bucket $a$ for $a < e$;
# - the others share the distances from $e$ to `max_distance` $D$ evenly on a logarithmic scale:
#
# $$e + \left\lfloor \frac{\ln(a / e)}{\ln(D / e)} \,(h - e) \right\rfloor, \quad\text{but at most } h - 1$$
#
# *Worked number.* $n = 32$ and $D = 128$, so $h = 16$ and $e = 8$. A key 5 words back: bucket 5. A key 20 words back:
# $\ln 2.5 / \ln 16 \cdot 8 = 2.64$, bucket $8 + 2 = 10$. A key 20 words *ahead*: $16 + 10 = 26$. The last bucket begins at
# $8 \cdot 16^{7/8} = 90.5$: anything 91 or more words back is in bucket 15.

# %% [markdown]
# ### Exercise 7 · `relative_position_bucket` (●●○, 15 minutes, 3 points)
# `relative_position` is an integer tensor of any shape; the buckets are integers of the same shape.
#
# <details><summary>Hint 1</summary>
#
# Compute both formulas for all entries and choose between them with `torch.where`. The side of the query is a separate term that you add
# at the end.
#
# </details>
# <details><summary>Hint 2</summary>
#
# $\ln 0$ is $-\infty$, and turning that into an integer is undefined. The logarithm is only needed where $a \ge e$: lift smaller distances
# to $e$ before you take it (`clamp`).
#
# </details>

# %% exercise="relative_position_bucket"
def relative_position_bucket(
    relative_position: Int[Tensor, "*shape"],
    n_buckets: int = 32,
    max_distance: int = 128,
) -> Int[Tensor, "*shape"]:
    """T5's bidirectional bucket of every offset, key position minus query position
    (Raffel et al. 2020, §2.1).
    """
    ### BEGIN SOLUTION
    half = n_buckets // 2
    exact = half // 2
    distance = relative_position.abs()
    share = torch.log(distance.clamp(min=exact) / exact) / math.log(
        max_distance / exact
    )
    coarse = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(distance < exact, distance, coarse) + half * (
        relative_position > 0
    )
    ### END SOLUTION


# %% check="relative_position_bucket" points=3
check(relative_position_bucket)

# %% tags=["figure"]
def draw_buckets(figure):
    left, right = figure.subplots(1, 2, width_ratios=[5, 4])
    offsets = torch.arange(-160, 161)
    buckets = relative_position_bucket(offsets)
    for side, color in ((offsets <= 0, plots.PURPLE), (offsets > 0, plots.ORANGE)):
        left.step(offsets[side], buckets[side], where="mid", color=color)
    left.set(xlabel="key position − query position", ylabel="bucket", title="32 buckets, max_distance 128", yticks=[0, 8, 15, 17, 24, 31])
    positions = torch.arange(48)
    pairs = relative_position_bucket(positions - positions[:, None])
    image = right.imshow(torch.where(pairs < 16, -pairs, pairs - 16), cmap=plots.DIVERGING, vmin=-15, vmax=15)  # the nearer, the paler
    right.set(xlabel="key j", ylabel="query i", title="bucket of every pair")
    bar = figure.colorbar(image, ax=right, fraction=0.046, pad=0.03, ticks=[-15, -8, 0, 8, 15])
    bar.ax.set_yticklabels(["15", "8", "0", "24", "31"])
    bar.outline.set_visible(False)


plots.show(
    draw_buckets,
    alt="Left: the bucket against the offset, steep near 0 and flat far away, 0 to 15 for keys at or before the query and 17 to 31 for "
    "keys after it. Right: the buckets of all pairs of 48 positions, constant along diagonals, purple before the query and orange after it",
    width=7.4,
    height=2.9,
)

# %% [markdown]
# Bucket 16 never occurs: it would be "after the query, at distance 0". T5 has one number per head that is never used.

# %% [markdown]
# ## 8 · Experiment: train short, test long
#
# The name is that of the ALiBi paper, and the reason for the question is cost. For each text, the cost of attention grows with the square of
# the length (the rest of the model grows in proportion to it), so one would like to train on short texts and use the model on long ones.
# Press et al. (2022) measured it on language models; we measure it on a small task on which it is plain what a right answer is.
#
# > **3** w p r **7** s s q w **1** r p …
#
# Letters carry no information, and now and then a number is named; the first word always is one. After each word the model must say **which number
# was named last**: 3 3 3 3 7 7 7 7 7 1 1 1 … An agent needs this to know whether a door is open: what counts is the *latest* thing it was
# told. Content alone cannot do it, since the same numbers come again and again; the model has to compare places.
#
# All models have one causal attention layer with 4 heads and a feed-forward network, train on 300 batches of texts of length **32**, and
# are then tested on lengths up to **256**. On the longer texts only the second half counts, so every answer is asked at a place that no
# training text had. Chance is 1 in 8. There are six ways to know the position: **none** (the causal mask alone), **sinusoidal**,
# **learned** (a table of 256 rows, of which training sees 32), **rotary**, **ALiBi** and **T5 buckets**, all of them yours.
#
# One task may suit one scheme. So there is a second question on the same texts: **which number was named first**, 3 3 3 3 3 3 3 … for
# the text above.
#
# Guess before you run it (about a minute): who will still be right about the last number at length 64, and at 256? And about the first?

# %%
N_VALUES, N_WORDS, TRAINED, TEST_LENGTHS = 8, 16, 32, [32, 64, 128, 256]
SCHEMES = ("none", "sinusoidal", "learned", "rotary", "ALiBi", "T5 buckets")


def number_texts(n_texts, length, question, generator, named=0.15):
    """(ids, answers, letters): texts `(n, T)` of numbers 0 … 7 and letters 8 … 15, the numbers to name, and where letters stand."""
    is_number = torch.rand(n_texts, length, generator=generator) < named
    is_number[:, 0] = True
    ids = torch.randint(N_VALUES, N_WORDS, (n_texts, length), generator=generator)
    ids = torch.where(is_number, torch.randint(0, N_VALUES, (n_texts, length), generator=generator), ids)
    named_at = torch.where(is_number, torch.arange(length), 0).cummax(dim=1).values
    if question == "first":
        named_at = torch.zeros_like(named_at)
    return ids, ids.gather(1, named_at), ~is_number


class NumberReader(nn.Module):
    """Words → one causal attention layer that knows positions by `scheme` → one of the numbers."""

    def __init__(self, scheme, generator, d_model=32, n_heads=4, max_distance=128):
        super().__init__()
        self.scheme, self.n_heads, self.max_distance = scheme, n_heads, max_distance
        self.turn = rotary_embedding if scheme == "rotary" else None
        self.words = nn.Embedding(N_WORDS, d_model)
        self.places = LearnedPositionalEmbedding(max(TEST_LENGTHS), d_model) if scheme == "learned" else None
        self.bias = nn.Embedding(32, n_heads) if scheme == "T5 buckets" else None
        self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(d_model) for _ in range(3))
        self.qkv, self.mix = nn.Linear(d_model, 3 * d_model, bias=False), nn.Linear(d_model, d_model, bias=False)
        self.feed_forward = nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.GELU(), nn.Linear(2 * d_model, d_model))
        self.predict = nn.Linear(d_model, N_VALUES)
        seeded(self, generator)

    def forward(self, ids):
        x = self.words(ids)
        if self.scheme == "sinusoidal":
            x = x + sinusoidal_encoding(*x.shape[-2:])
        elif self.scheme == "learned":
            x = self.places(x)
        x = x + self.attend(self.norm_1(x))
        x = x + self.feed_forward(self.norm_2(x))
        return self.predict(self.norm_3(x))

    def attend(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.n_heads, -1)).movedim(-3, 0).transpose(-3, -2)
        positions = torch.arange(x.shape[-2])
        if self.turn:
            q, k = self.turn(q, positions), self.turn(k, positions)
        output = F.scaled_dot_product_attention(q, k, v, attn_mask=self.score_bias(positions))
        return self.mix(output.transpose(-3, -2).flatten(-2))

    def score_bias(self, positions):
        """What is added to the scores, `(T, T)` or `(n_heads, T, T)`: −∞ above the diagonal, and the scheme's own below."""
        if self.scheme == "ALiBi":
            return alibi_bias(self.n_heads, len(positions))
        future = torch.zeros(len(positions), len(positions)).masked_fill(positions > positions[:, None], -math.inf)
        if self.scheme == "T5 buckets":
            buckets = relative_position_bucket(positions - positions[:, None], max_distance=self.max_distance)
            return future + self.bias(buckets).movedim(-1, 0)
        return future


def train_short(scheme, question, seed, steps=300, **sizes):
    """A `NumberReader` trained on texts of length `TRAINED`."""
    generator = torch.Generator().manual_seed(seed)
    model = NumberReader(scheme, generator, **sizes)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        ids, answers, _ = number_texts(32, TRAINED, question, generator)
        loss = F.cross_entropy(model(ids).flatten(0, 1), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@torch.no_grad()
def accuracy_at(model, question, length):
    """The share of right answers at letters; in texts longer than the training's, in their second half."""
    ids, answers, asked = number_texts(6144 // length, length, question, torch.Generator().manual_seed(99))
    if length > TRAINED:
        asked[:, : length // 2] = False
    return float((model(ids).argmax(dim=-1) == answers)[asked].double().mean())


# %% tags=["experiment"]
SEEDS, QUESTIONS = range(2), ("last", "first")


def trained_on_short(scheme, question):
    """One model for each seed."""
    return [train_short(scheme, question, seed) for seed in tqdm(SEEDS, desc=f"{scheme}, {question}", leave=False)]


def tested_on_long(models, question):
    """Accuracies `(seeds, lengths)`."""
    return torch.tensor([[accuracy_at(model, question, length) for length in TEST_LENGTHS] for model in models])


trained, accuracies = {}, {question: {} for question in QUESTIONS}
for question in QUESTIONS:
    print(f"{'number named ' + question + ', at length':<30}" + "".join(f"{length:>8}" for length in TEST_LENGTHS))
    for scheme in SCHEMES:
        trained[scheme, question] = attempt(trained_on_short, scheme, question)
        if trained[scheme, question]:
            runs = accuracies[question][scheme] = tested_on_long(trained[scheme, question], question)
            print(f"{scheme:<30}" + "".join(f"{value:8.1%}" for value in runs.mean(0)))


# %% tags=["figure"]
def length_axis(ax):
    ax.axhline(1 / N_VALUES, color=plots.GREY, linestyle=":", linewidth=1)
    ax.set(xscale="log", ylim=(0, 1.04), xlabel="length of the test texts (trained at 32)")
    ax.set_xticks(TEST_LENGTHS, [str(n) for n in TEST_LENGTHS])
    ax.minorticks_off()


def draw_lengths(figure):
    if missing := [scheme for scheme in SCHEMES if scheme not in accuracies["first"]]:
        raise NotImplementedError(f"not trained yet: {', '.join(missing)}; see the cell above")
    colors = dict(zip(SCHEMES, (plots.GREY, plots.ORANGE, plots.RED, plots.BLUE, plots.GREEN, plots.PURPLE)))
    for ax, question in zip(figure.subplots(1, 2, sharey=True), QUESTIONS):
        for scheme, runs in accuracies[question].items():
            plots.band(ax, TEST_LENGTHS, runs, label=scheme, color=colors[scheme])
        length_axis(ax)
        ax.set_title(f"Which number was named {question}?")
    figure.axes[0].set_ylabel("right answers")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right center")


plots.show(
    draw_lengths,
    alt="Right answers against test length for six schemes trained at length 32. Last number: ALiBi stays where it was up to 256, "
    "all others lose more than 30 percentage points. First number: learned positions stay near 100 percent, sinusoidal ones fall slowly and differ "
    "between seeds, all others are near chance from 128 on",
    width=7.6,
    height=3.1,
)

# %% [markdown]
# ### What we measured
# Right answers, mean of {measured:readers.seeds} seeds with the reference answers (your two seeds may differ by more than a few percent
# where the mean is far from both 100% and chance):
#
# | scheme | last: 32 | 64 | 128 | 256 | first: 32 | 64 | 128 | 256 |
# | --- | --- | --- | --- | --- | --- | --- | --- | --- |
# | none | {measured:readers.none.last.32:.0%} | {measured:readers.none.last.64:.0%} | {measured:readers.none.last.128:.0%} | {measured:readers.none.last.256:.0%} | {measured:readers.none.first.32:.0%} | {measured:readers.none.first.64:.0%} | {measured:readers.none.first.128:.0%} | {measured:readers.none.first.256:.0%} |
# | sinusoidal | {measured:readers.sinusoidal.last.32:.0%} | {measured:readers.sinusoidal.last.64:.0%} | {measured:readers.sinusoidal.last.128:.0%} | {measured:readers.sinusoidal.last.256:.0%} | {measured:readers.sinusoidal.first.32:.0%} | {measured:readers.sinusoidal.first.64:.0%} | {measured:readers.sinusoidal.first.128:.0%} | {measured:readers.sinusoidal.first.256:.0%} |
# | learned | {measured:readers.learned.last.32:.0%} | {measured:readers.learned.last.64:.0%} | {measured:readers.learned.last.128:.0%} | {measured:readers.learned.last.256:.0%} | {measured:readers.learned.first.32:.0%} | {measured:readers.learned.first.64:.0%} | {measured:readers.learned.first.128:.0%} | {measured:readers.learned.first.256:.0%} |
# | rotary | {measured:readers.rotary.last.32:.0%} | {measured:readers.rotary.last.64:.0%} | {measured:readers.rotary.last.128:.0%} | {measured:readers.rotary.last.256:.0%} | {measured:readers.rotary.first.32:.0%} | {measured:readers.rotary.first.64:.0%} | {measured:readers.rotary.first.128:.0%} | {measured:readers.rotary.first.256:.0%} |
# | ALiBi | {measured:readers.ALiBi.last.32:.0%} | {measured:readers.ALiBi.last.64:.0%} | {measured:readers.ALiBi.last.128:.0%} | {measured:readers.ALiBi.last.256:.0%} | {measured:readers.ALiBi.first.32:.0%} | {measured:readers.ALiBi.first.64:.0%} | {measured:readers.ALiBi.first.128:.0%} | {measured:readers.ALiBi.first.256:.0%} |
# | T5 buckets | {measured:readers.T5_buckets.last.32:.0%} | {measured:readers.T5_buckets.last.64:.0%} | {measured:readers.T5_buckets.last.128:.0%} | {measured:readers.T5_buckets.last.256:.0%} | {measured:readers.T5_buckets.first.32:.0%} | {measured:readers.T5_buckets.first.64:.0%} | {measured:readers.T5_buckets.first.128:.0%} | {measured:readers.T5_buckets.first.256:.0%} |
#
# - **Last number.** Only ALiBi keeps at 256 what it had at 32. At 32 it is a little behind the two best; {measured:longer.budget.steps:,}
#   training steps instead of {measured:readers.budget.steps:,} bring it to {measured:longer.ALiBi.last.32:.0%}. Rotary and sinusoidal
#   positions, almost perfect at 32, are defined at position 200 but were never trained there. The learned table's rows from 32 on still
#   hold their random initial values. T5 has untrained numbers too: distances from 32 on fall into buckets that training never touched. A
#   test of this explanation: with `train_short("T5 buckets", "last", seed, max_distance=32)` all far keys share a bucket that was trained,
#   and {measured:shared_bucket.last.256:.0%} ({measured:shared_bucket.last.256.range:.0%}) are right at 256 instead of
#   {measured:readers.T5_buckets.last.256:.0%}: most of the loss, but not all of it. How much depends on the training: after
#   {measured:shared_bucket_budgets.budget.shorter} steps it is {measured:shared_bucket_budgets.shorter.shared.256:.0%} instead of
#   {measured:shared_bucket_budgets.shorter.own.256:.0%}, after {measured:shared_bucket_budgets.budget.longer} steps
#   {measured:shared_bucket_budgets.longer.shared.256:.0%} instead of {measured:shared_bucket_budgets.longer.own.256:.0%}.
# - **First number.** Now the ranking turns around. ALiBi does not learn the task even at length 32: its bias always favours the nearest,
#   and the question asks for the farthest. Training five times as long helps little: {measured:longer.ALiBi.first.32:.0%} after
#   {measured:longer.budget.steps:,} steps. It is the bias: with its sign changed, so that it favours the farthest, the same model has
#   {measured:turned_round.first.32:.0%} at 32 and {measured:turned_round.first.256:.0%} ({measured:turned_round.first.256.range:.0%}) at 256, and now it is the last number that it does not
#   learn ({measured:turned_round.last.32:.0%} at 32). Learned positions carry over, with more than nine in ten right at every length, because the first
#   word always stands in row 0, a row that was trained. Relative schemes must reach a distance that they have never seen. Sinusoidal positions are between the two, and
#   there chance decides: at 256 the five seeds lie anywhere from {measured:readers.sinusoidal.first.256.range:.0%}.
# - **Other sizes.** Who keeps which number stays the same, how much of it does not. ALiBi needs a steep head: with two heads instead of four its slopes are 1/16 and
#   1/256, and of the last number it has {measured:sizes.32_by_2.last.ALiBi.32:.0%} at 32 and {measured:sizes.32_by_2.last.ALiBi.256:.0%} at 256. With
#   four heads and half the width, 16 numbers, it is {measured:sizes.16_by_4.last.ALiBi.32:.0%} and {measured:sizes.16_by_4.last.ALiBi.256:.0%}. The width matters to the
#   learned table: with 16 numbers it has {measured:sizes.16_by_4.first.learned.256:.0%} of the first number at 256. At each of these sizes every other scheme keeps
#   less of the last number than ALiBi. Rotary positions depend most on the seed: with four heads of four numbers they have {measured:sizes.16_by_4.last.rotary.256.range:.0%} of it at 256.
# - So "ALiBi extrapolates" is true of tasks in which near things matter most. Language modelling mostly is such a task, and there Press et
#   al. (2022, figure 1) found that sinusoidal positions fail soon after the training length, rotary ones a little later, T5's bias later
#   still, and ALiBi not at all. One small layer on a toy text is no language model: take the mechanism from here, not the numbers.

# %% [markdown]
# ## Stretch · Squeeze the positions (ungraded)
#
# Beyond its training length a rotary model meets angles, and combinations of angles, that it never saw. Chen et al. (2023) turn the
# problem around: do not go to positions the model does not know, **squeeze** the new ones into the range it does know.
# A model trained up to $L$ that shall read $L' > L$ words uses position $m L / L'$ in the place of $m$. Position 100 of 256 becomes
# position 12.5 of 32, which is why your `rotary_embedding` takes positions that are not whole. Texts that are not longer than $L$ are left
# alone. The squeezed positions are as exact as `x`: `positions` may be integers, and an integer tensor times a Python number is float32 in
# PyTorch, also where `x` is float64.
#
# ### `interpolated_rotary` (●●○, 15 minutes)
#
# <details><summary>Hint 1</summary>
#
# You have the rotation already. What are the positions to hand to it, if `extended_length` is larger, and what if it is not?
#
# </details>

# %% exercise="interpolated_rotary" tags=["stretch"]
def interpolated_rotary(
    x: Float[Tensor, "*batch T d"],
    positions: Int[Tensor, "T"] | Float[Tensor, "T"],
    trained_length: int,
    extended_length: int,
    base: float = 10000.0,
) -> Float[Tensor, "*batch T d"]:
    """Rotary embedding with the positions of `extended_length` words squeezed into
    `trained_length` (Chen et al. 2023); never stretched.
    """
    ### BEGIN SOLUTION
    squeeze = min(1.0, trained_length / extended_length)
    # positions are often integers, which would become float32 whatever x is
    wide = torch.promote_types(x.dtype, torch.float32)
    return rotary_embedding(x, positions.to(wide) * squeeze, base)
    ### END SOLUTION


# %% check="interpolated_rotary" points=0
check(interpolated_rotary)

# %% [markdown]
# Now give your squeezed positions to the rotary models that you have trained above. They are not trained any further.

# %% tags=["experiment"]
def tested_squeezed(models, question):
    """Accuracies `(seeds, lengths)` of rotary models whose positions are squeezed into the trained range."""
    rows = []
    for model in models:
        row = []
        for length in TEST_LENGTHS:
            model.turn = lambda x, positions, length=length: interpolated_rotary(x, positions, TRAINED, length)
            row.append(accuracy_at(model, question, length))
        model.turn = rotary_embedding
        rows.append(row)
    return torch.tensor(rows)


squeezed = {question: attempt(tested_squeezed, trained["rotary", question], question) for question in QUESTIONS}


# %% tags=["figure"]
def draw_squeezed(figure):
    for ax, question in zip(figure.subplots(1, 2, sharey=True), QUESTIONS):
        plots.band(ax, TEST_LENGTHS, squeezed[question], label="rotary, squeezed", color=plots.SKY)
        plots.band(ax, TEST_LENGTHS, accuracies[question]["rotary"], label="rotary", color=plots.BLUE)
        length_axis(ax)
        ax.set_title(f"Which number was named {question}?")
    figure.axes[0].set_ylabel("right answers")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right center")


plots.show(
    draw_squeezed,
    alt="Right answers against test length: rotary models with squeezed positions fall slowly up to length 256 for both questions, where "
    "plain rotary falls close to chance",
    width=7.6,
    height=2.7,
)

# %% [markdown]
# We measured {measured:squeezed.last.64:.0%} at 64, {measured:squeezed.last.128:.0%} at 128 and {measured:squeezed.last.256:.0%} at 256 for
# the last number, and {measured:squeezed.first.64:.0%}, {measured:squeezed.first.128:.0%} and {measured:squeezed.first.256:.0%} for the
# first (mean of {measured:squeezed.seeds} seeds; at 256 from {measured:squeezed.last.256.range:.0%} and from
# {measured:squeezed.first.256.range:.0%}, and another seed can have less), where the unsqueezed models had {measured:readers.rotary.last.256:.0%} and
# {measured:readers.rotary.first.256:.0%} at 256: the same weights, only the positions changed. So it was the unseen angles. What is
# lost grows with the squeeze: at 256 neighbours differ by an eighth of the angle that the model was trained on. It is not the
# length of the text: with positions squeezed as much, texts of 32 words have {measured:squeezed_short.last:.0%} and
# {measured:squeezed_short.first:.0%}. (Chen et al. 2023 train a little further on long texts.)
#
# ### Squeeze the slow hands only
# Squeezing all angles alike blurs what the fast pairs tell: which word stands right beside which. Another way changes the *base*: with
# $b' = b\, s^{d/(d-2)}$ for texts $s$ times as long, the slowest pair turns $s$ times more slowly, as in the squeeze, and the fastest as
# before. (It is known as *NTK-aware* scaling; Peng et al. 2024, §3.1, derive it and refine it into YaRN.) The next cell gives the same
# trained models this base. Guess first: is it better than squeezing, or worse?

# %%
def rebased_rotary(x, positions, trained_length, extended_length, base=10000.0):
    """Rotary embedding whose slowest pair is slowed down as much as `interpolated_rotary` does, and whose fastest is left alone."""
    stretch = max(1.0, extended_length / trained_length)
    return rotary_embedding(x, positions, base * stretch ** (x.shape[-1] / (x.shape[-1] - 2)))


def tested_rebased(models, question):
    """As `tested_squeezed`, with another base instead of other positions."""
    rows = []
    for model in models:
        row = []
        for length in TEST_LENGTHS:
            model.turn = lambda x, positions, length=length: rebased_rotary(x, positions, TRAINED, length)
            row.append(accuracy_at(model, question, length))
        model.turn = rotary_embedding
        rows.append(row)
    return torch.tensor(rows)


# %% tags=["experiment"]
def compare_bases():
    for question in QUESTIONS:
        for name, test in (("squeezed", tested_squeezed), ("another base", tested_rebased)):
            print(f"{question:<6} {name:<14}" + "".join(f"{value:8.1%}" for value in test(trained["rotary", question], question).mean(0)))


_ = attempt(compare_bases)

# %% [markdown]
# Worse, and the longer the text, the more so. Over {measured:rebased.seeds} seeds the last number is right in
# {measured:rebased.last.64:.0%} at 64 and {measured:rebased.last.256:.0%} at 256, where squeezing has {measured:squeezed.last.64:.0%} and
# {measured:squeezed.last.256:.0%}. Count the turns to see why. A head has 8 numbers here, so four pairs, and a turn takes them 6.3, 63,
# 628 and 6,283 words. In training, on 32 words, only the first pair went round; the others know a part of the circle, and must not be led
# beyond it. For texts 8 times as long the new base slows the four by 1, 2, 4 and 8: the second pair would have to be slowed by 8 and goes
# far beyond what it knows. That it is this, and not the first pair, shows when all but the first are squeezed: at 256 the last number is right in
# {measured:first_pair_left.last.256:.0%} and the first in {measured:first_pair_left.first.256:.0%}, about as with all four. The method was made for models that were trained on thousands of words: with 4,096 words and 128 numbers per
# head, 46 of the 64 pairs have gone round at least once and have met all angles. YaRN (Peng et al. 2024) draws the conclusion: pairs that
# went round many times are left alone, pairs that did not are squeezed.

# %% [markdown]
# ## Written question (3 points, graded by a person)
# Answer in two or three sentences each.
#
# 1. A colleague trained a decoder with *learned* positions on texts of at most 512 words and now wants to feed it 4,096. What happens at
#    word 513, what would have happened with *rotary* positions, and which of your measurements says so?
# 2. Another colleague turns the **values** by RoPE as well. Show with one line of algebra, or one sentence about the weighted sum, why the
#    layer's output then is no longer the same when the whole text is moved by ten positions, and why turning queries and keys alone does
#    not have this problem.
# 3. "Our decoder has a causal mask, so it needs no positional encoding." Name one thing that is right about this sentence and one
#    measurement of this lesson that speaks against relying on it.

# %% [markdown] question="order_and_length" points=3
# ### BEGIN SOLUTION
# **Model answer.**
#
# 1. With a table of 512 rows, word 513 has no row: an error (our `ValueError`). With a larger table the rows from 512 on were never
#    trained, so they add noise; in our experiment the learned scheme fell from {measured:readers.learned.last.32:.0%} at the trained length
#    to {measured:readers.learned.last.128:.0%}, near chance, at four times that length (last number). Rotary positions are defined
#    everywhere, so nothing breaks formally, but angles that training never showed appear: accuracy fell from
#    {measured:readers.rotary.last.32:.0%} to {measured:readers.rotary.last.64:.0%} at twice the length. Being defined at a position is not
#    the same as working there.
# 2. Turned values give $z_m = \sum_n a_{mn} R_n v_n$. Moving the text by 10 leaves the weights alone (they depend on $m - n$) but turns
#    every term, $z'_m = R_{10} z_m$: the output depends on the absolute position. In the score, $(R_m q)^\top (R_n k) = q^\top R_{n-m} k$,
#    the two rotations meet and only the offset is left; a value meets no second rotation that would undo its own.
# 3. Right: a causal mask breaks the symmetry. The permutation gap of causal attention is not 0, since word $i$ sees $i + 1$ words, and
#    such models do learn something about position (Haviv et al. 2022). Against it: without positions the same model named the last number
#    in only {measured:readers.none.last.32:.0%} of the cases at its training length, where every other scheme reached
#    {measured:readers.T5_buckets.last.32:.0%} or more.
#
# **Rubric** — 1 point: a missing or untrained row for learned positions, *and* that rotary is defined but not reliable there, with a
# measurement. 1 point: the value's rotation is not cancelled, while that of query and key leaves only the offset. 1 point: the causal mask
# gives some order (the gap, or the number of visible words), *and* a measurement against relying on it. Half a point each for one of two
# parts.
# ### END SOLUTION

# %% [markdown]
# **Sources.** The lecture: *Attention and Language Modeling*, CSE 291 AI Agents, Prithviraj Ammanabrolu.
#
# - Gehring et al. (2017), *Convolutional Sequence to Sequence Learning*, ICML.
# - Vaswani et al. (2017), *Attention Is All You Need*, NeurIPS.
# - Raffel et al. (2020), *Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer*, JMLR (T5).
# - Su et al. (2021), *RoFormer: Enhanced Transformer with Rotary Position Embedding*.
# - Press, Smith and Lewis (2022), *Train Short, Test Long: Attention with Linear Biases Enables Input Length Extrapolation*, ICLR.
# - Haviv et al. (2022), *Transformer Language Models without Positional Encodings Still Learn Positional Information*, Findings of EMNLP.
# - Chen et al. (2023), *Extending Context Window of Large Language Models via Positional Interpolation*, arXiv; Peng, Quesnelle, Fan and Shippole
#   (2024), *YaRN: Efficient Context Window Extension of Large Language Models*, ICLR.

# %% tags=["figure"]
lesson.scoreboard()
