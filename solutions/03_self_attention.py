# %% [markdown]
# # 03 · Self-attention
# *Needs: lesson 02 (attention over a source sequence) · about 2 hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# In lesson 02 a decoder looked back at *another* sequence: the sentence to be translated. Here a sequence looks at **itself**. Read
# this sentence slowly:
#
# > The FBI is chasing a criminal on the run .
#
# When you reach *chasing* you still hold *The FBI* in mind, because chasing needs a chaser. When you reach *run*, you know who is on
# the run. Every word was understood with the help of words before it, and not all of them: a few, chosen by need. Cheng, Dong and
# Lapata (2016) built this into a reading machine and called it *intra-attention*; today it is called **self-attention**, and every
# layer of a GPT begins with it.
#
# You will write it from its first matrix product to its gradient, and then train, in seconds, a layer that chooses a verb's number by
# a noun several words back, past another noun in between. Then you will test what this layer has learned. By the end you can say what each
# of these letters is, and why the 8 is there:
#
# $$\text{Attention}(Q, K, V) = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V, \qquad \sqrt{64} = 8$$
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `query_key_value` | ●○○ | 5 | 2 |
# | 2 | `attention_scores` | ●○○ | 8 | 3 |
# | 3 | `causal_mask` | ●○○ | 5 | 1.5 |
# | 4 | `padding_mask` | ●○○ | 8 | 1.5 |
# | 5 | `scaled_dot_product_attention` | ●●○ | 15 | 5 |
# | 6 | `SelfAttention` | ●●○ | 15 | 4 |
# | 7 | `intra_attention_weights` | ●●○ | 12 | 3 |
# | 8 | `attention_backward` | ●●● | 25 | 4 |
# | | written question | | 10 | 3 |
# | ★ | `streaming_attention` (stretch) | ●●● | 30 | – |

# %% tags=["setup"]
import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from autograde.notebook import open_lesson
from utils import agreement, plots
from utils.cost import measure
from utils.lesson import attempt
from utils.reading import draw_reading
from utils.scale_view import scale_view

lesson = open_lesson("03_self_attention", globals())
check = lesson.check

SENTENCE = "The FBI is chasing a criminal on the run .".split()

# %% [markdown]
# **Conventions.** `...` in a shape stands for any number of batch dimensions, including none, so use `transpose(-2, -1)` (or `.mT`) and
# `dim=-1` rather than counting dimensions from the left. Results keep the dtype and device of the inputs, and inputs are never changed
# in place. A mask is boolean, `True` where attention is allowed. A figure that says it is waiting for your function draws itself once
# you have written it: run its cell again.

# %% [markdown]
# ## 1 · Every word asks, offers and tells
#
# A word enters the layer as a vector $x_i$ of `d_model` numbers. The layer makes three vectors of it, each by a learned matrix:
#
# | vector | how | the question it answers (from the lecture) |
# | --- | --- | --- |
# | query | $q_i = x_i W^Q$ | What are the things I am looking for? |
# | key | $k_i = x_i W^K$ | What are the things that I have? |
# | value | $v_i = x_i W^V$ | What are the things that I will communicate? |
#
# Why three and not one? If a word's vector served as both its query and its key, then the score of *chasing* for *FBI* would always
# equal the score of *FBI* for *chasing*, and a word would usually fit itself best. Separate matrices let a verb look for its subject
# without the subject having to look for the verb.
#
# The words are the rows of one matrix $X$ of shape `(T, d_model)`, so three matrix products serve the whole sentence at once:
#
# $$Q = X W^Q \;\;(T, d_k), \qquad K = X W^K \;\;(T, d_k), \qquad V = X W^V \;\;(T, d_v)$$
#
# Queries and keys must be equally long, since they are about to be multiplied with each other; values may have a length of their own.
#
# *Worked number.* With $x_1 = (1, 2)$ and $W^Q = \begin{pmatrix} 1 & 0 & 3 \\ 0 & 1 & -1 \end{pmatrix}$, the query is
# $q_1 = 1 \cdot (1, 0, 3) + 2 \cdot (0, 1, -1) = (1, 2, 1)$: a word's vector mixes the *rows* of the matrix.

# %% [markdown]
# ### Exercise 1 · `query_key_value` (●○○, 5 minutes, 2 points)


# %% exercise="query_key_value"
def query_key_value(
    x: Float[Tensor, "*batch T d_model"],
    w_q: Float[Tensor, "d_model d_k"],
    w_k: Float[Tensor, "d_model d_k"],
    w_v: Float[Tensor, "d_model d_v"],
) -> tuple[
    Float[Tensor, "*batch T d_k"],
    Float[Tensor, "*batch T d_k"],
    Float[Tensor, "*batch T d_v"],
]:
    """The queries, keys and values of every word of `x`, in this order
    (Vaswani et al. 2017, §3.2).
    """
    ### BEGIN SOLUTION
    return x @ w_q, x @ w_k, x @ w_v
    ### END SOLUTION


# %% check="query_key_value" points=2
check(query_key_value)

# %% [markdown]
# The lecture's example has two words, *Thinking* and *Machines*. Below, 4 numbers per word become 3-number queries and keys and 2-number
# values (a real layer has hundreds). Look at the shapes: the number of rows never changes, a projection never mixes words.


# %% tags=["figure"]
def draw_projections(figure):
    generator = torch.Generator().manual_seed(3)
    x = torch.tensor([[1.0, -1.0, 0.5, 2.0], [0.0, 1.5, -1.0, 1.0]])
    projections = [torch.randn(4, width, generator=generator) for width in (3, 3, 2)]
    parts = [x, *query_key_value(x, *projections)]
    axes = figure.subplots(1, 4, width_ratios=[4, 3, 3, 2])
    for ax, part, name in zip(axes, parts, ("embeddings X", "queries Q", "keys K", "values V")):
        rows = ["Thinking", "Machines"] if name.startswith("emb") else ["", ""]
        plots.heatmap(ax, part, rows, [""] * part.shape[-1], cmap=plots.DIVERGING, annotate=True, vmin=-5, vmax=5)
        ax.set_title(f"{name}\n{tuple(part.shape)}")


plots.show(
    draw_projections,
    alt="Four small matrices: embeddings (2, 4), queries (2, 3), keys (2, 3) and values (2, 2), one row for each of the two words",
    width=7,
    height=1.9,
)

# %% [markdown]
# ## 2 · A score for every pair of words
#
# How much should word $i$ care about word $j$? Compare what $i$ looks for with what $j$ has: the dot product $q_i \cdot k_j$. All pairs
# at once are one matrix product, with a row for every query and a column for every key:
#
# $$S = \frac{Q K^\top}{\sqrt{d_k}} \quad\text{of shape } (T_q, T_k), \qquad s_{ij} = \frac{q_i \cdot k_j}{\sqrt{d_k}}$$
#
# Queries and keys may come from sequences of different lengths (a decoder that asks, an encoder that answers), so keep $T_q$ and $T_k$
# apart.
#
# *Worked number, from the lecture.* For *Thinking* ($d_k = 64$) the dot products are $q_1 \cdot k_1 = 112$ and $q_1 \cdot k_2 = 96$.
# Divided by $\sqrt{64} = 8$ they are **14** and **12**, and the softmax of 14 and 12 is **0.88** and **0.12**. Without the division it
# would be the softmax of 112 and 96: $e^{-16} \approx 10^{-7}$ is left for the second word.

# %% [markdown]
# ### Exercise 2 · `attention_scores` (●○○, 8 minutes, 3 points)
#
# <details><summary>Hint 1</summary>
#
# You want rows of `q` times rows of `k`. A matrix product multiplies rows with *columns*, so one of the two has to be turned first.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `k.T` turns *all* dimensions around, the batch too. You want to swap only the last two. And which size of which tensor is $d_k$?
#
# </details>


# %% exercise="attention_scores"
def attention_scores(
    q: Float[Tensor, "*batch T_q d_k"], k: Float[Tensor, "*batch T_k d_k"]
) -> Float[Tensor, "*batch T_q T_k"]:
    """How well each query fits each key: their dot products divided by √d_k
    (Vaswani et al. 2017, §3.2.1).
    """
    ### BEGIN SOLUTION
    return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    ### END SOLUTION


# %% check="attention_scores" points=3
check(attention_scores)

# %% [markdown]
# Here are queries and keys with the lecture's numbers: $q_1 \cdot k_1 = 112$ and $q_1 \cdot k_2 = 96$. The second word's query is ours.

# %%
ones = torch.ones(32)
lecture_q = torch.stack([torch.cat([ones, ones]), torch.cat([0.5 * ones, 1.5 * ones])])
lecture_k = torch.stack([torch.cat([2.0 * ones, 1.5 * ones]), torch.cat([ones, 2.0 * ones])])
lecture_v = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
WORDS = ["Thinking", "Machines"]


# %% tags=["figure"]
def draw_lecture_scores(figure):
    scores = attention_scores(lecture_q, lecture_k)
    steps = [("q · k", scores * 8, 128), ("divided by √64", scores, 16), ("softmax", scores.softmax(dim=-1), 1)]
    for ax, (name, values, top) in zip(figure.subplots(1, 3), steps):
        plots.heatmap(ax, values, WORDS if name == "q · k" else ["", ""], WORDS, vmin=0, vmax=2 * top)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            ax.text(j, i, f"{values[i, j]:.2f}" if name == "softmax" else f"{values[i, j]:.0f}", ha="center", va="center", fontsize=11)
        ax.set_title(name)


plots.show(
    draw_lecture_scores,
    alt="Three 2 by 2 matrices. Thinking's row: dot products 112 and 96, divided by eight 14 and 12, softmax 0.88 and 0.12",
    width=7,
    height=2.2,
)

# %% [markdown]
# ### Why the square root?
# Let the numbers in $q$ and $k$ be independent with mean 0 and variance 1. Then $q \cdot k$ is a sum of $d_k$ products, each with mean
# 0 and variance 1, so its variance is $d_k$ and its typical size $\sqrt{d_k}$ (Vaswani et al. 2017, footnote 4). Longer vectors mean
# larger scores, and a softmax over large scores gives everything to one word. Dividing by $\sqrt{d_k}$ brings the typical size back to
# 1, whatever the length; dividing by $d_k$ would overdo it and make the scores of long vectors all nearly 0. The figure measures both
# from your scores.


# %% tags=["figure"]
def draw_spread(figure):
    generator = torch.Generator().manual_seed(7)
    sizes = [4, 8, 16, 32, 64, 128, 256, 512]
    scores = [attention_scores(*torch.randn(2, 200, d, generator=generator)) for d in sizes]
    left, right = figure.subplots(1, 2)
    left.loglog(sizes, [float(s.std()) * math.sqrt(d) for s, d in zip(scores, sizes)], "o-", color=plots.ORANGE, label="q · k, not divided")
    left.loglog(sizes, [float(s.std()) for s in scores], "o-", label="your scores")
    left.set(xlabel="d_k", ylabel="standard deviation", title="Typical size of a score")
    left.legend()
    top = {name: [] for name in ("q · k", "your scores")}
    for s, d in zip(scores, sizes):
        for name, factor in (("q · k", math.sqrt(d)), ("your scores", 1.0)):
            # ten keys a query: how much does the luckiest one get?
            top[name].append(float((s * factor).reshape(-1, 10).softmax(dim=-1).amax(dim=-1).mean()))
    right.semilogx(sizes, top["q · k"], "o-", color=plots.ORANGE, label="q · k")
    right.semilogx(sizes, top["your scores"], "o-", label="your scores")
    right.set(xlabel="d_k", ylabel="mean largest weight", ylim=(0, 1.02), title="Largest of ten weights")


plots.show(
    draw_spread,
    alt="Left: the standard deviation of raw dot products grows with the square root of d_k while that of the scaled scores stays at one. "
    "Right: the largest of ten softmax weights goes to one for raw dot products and stays near {measured:scale.64.largest.with:.2f} for "
    "scaled scores",
    width=7,
    height=2.8,
)

# %% [markdown]
# ## 3 · Who may look at whom
#
# Two rules limit what a word may attend to, and both are boolean matrices, `True` where looking is allowed.
#
# **Causal.** A model that writes a text from left to right must not see the word it is about to predict. Word $i$ may look at words
# $0 \dots i$: itself, and what came before. For 4 words (1 for `True`):
#
# $$\begin{pmatrix} 1&0&0&0\\ 1&1&0&0\\ 1&1&1&0\\ 1&1&1&1 \end{pmatrix}$$
#
# **Padding.** Sentences of a batch have different lengths, and tensors are rectangular, so short ones are filled up with meaningless
# padding that nobody may look at. For lengths `[3, 1]` and width $n = 4$ the rows are `1 1 1 0` and `1 0 0 0`. The same row holds for
# *every* query of its sentence, so the mask has shape `(..., 1, n)`: the 1 stretches (broadcasts) over the queries.
#
# A score that is not allowed is set to $-\infty$ before the softmax; $e^{-\infty} = 0$, so its weight is exactly 0 and the allowed ones
# still sum to 1. (Setting *weights* to 0 after the softmax would leave rows that sum to less than 1.)

# %% [markdown]
# ### Exercise 3 · `causal_mask` (●○○, 5 minutes, 1.5 points)
#
# <details><summary>Hint 1</summary>
#
# Either keep the lower triangle of a square that is all `True`, or compare the numbers of the rows with the numbers of the columns. The
# diagonal belongs to it.
#
# </details>


# %% exercise="causal_mask"
def causal_mask(
    n: int, device: torch.device | str | None = None
) -> Bool[Tensor, "n n"]:
    """True where query i (row) may see key j (column): j ≤ i. Made on `device`."""
    ### BEGIN SOLUTION
    return torch.ones(n, n, dtype=torch.bool, device=device).tril()
    ### END SOLUTION


# %% check="causal_mask" points=1.5
check(causal_mask)

# %% [markdown]
# ### Exercise 4 · `padding_mask` (●○○, 8 minutes, 1.5 points)
#
# <details><summary>Hint 1</summary>
#
# Position $j$ is a real word exactly if $j$ is smaller than the sentence's length. Which two tensors can you compare, and with which
# shapes, so that broadcasting makes all comparisons at once?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The positions are a tensor of shape `(n,)`, on the device of `lengths`. Give `lengths` two more dimensions of size 1 at its end.
#
# </details>


# %% exercise="padding_mask"
def padding_mask(lengths: Int[Tensor, "*batch"], n: int) -> Bool[Tensor, "*batch 1 n"]:
    """True for the first `length` of `n` positions of each sentence; on the device of
    `lengths`.
    """
    ### BEGIN SOLUTION
    return torch.arange(n, device=lengths.device) < lengths[..., None, None]
    ### END SOLUTION


# %% check="padding_mask" points=1.5
check(padding_mask)


# %% tags=["figure"]
def draw_masks(figure):
    causal, padding = causal_mask(6), padding_mask(torch.tensor([4]), 6)
    masks = {"causal": causal, "padding, length 4": padding[0].expand(6, 6), "both": (causal & padding)[0]}
    numbers = [str(i) for i in range(6)]
    for ax, (name, mask) in zip(figure.subplots(1, 3), masks.items()):
        plots.heatmap(ax, mask.double(), numbers, numbers, vmin=0, vmax=1.4)
        ax.set_title(name)
        ax.set_xlabel("key j")
    figure.axes[0].set_ylabel("query i")


plots.show(
    draw_masks,
    alt="Three 6 by 6 masks: a lower triangle, four full columns of six, and their intersection, a triangle cut off after column three",
    width=7,
    height=2.6,
)

# %% [markdown]
# ## 4 · Scaled dot-product attention
#
# Now put it together. The softmax turns each *row* of scores into weights that sum to 1: how word $i$ divides its attention among the
# keys. The output of word $i$ is the average of the values with these weights:
#
# $$A = \text{softmax}(S) \;\;(T_q, T_k), \qquad Z = A V \;\;(T_q, d_v), \qquad z_i = \sum_j a_{ij} v_j$$
#
# *Worked number.* With the lecture's weights, $z_1 = 0.88\, v_1 + 0.12\, v_2$: what *Thinking* receives is mostly its own value, and a
# little of that of *Machines*.
#
# **A word that may see nothing.** In a batch, a sentence can be empty, or a mask can forbid a row everything. The softmax of a row of
# $-\infty$ is $0/0$ = NaN, and one NaN spreads through the next layer to every word. The course's rule: such a row has all-zero weights
# and a zero output, and its gradient is zero too, never NaN.

# %% [markdown]
# ### Exercise 5 · `scaled_dot_product_attention` (●●○, 15 minutes, 5 points)
# Use `torch.softmax` and your own `attention_scores`, but not PyTorch's function of this name, nor `nn.MultiheadAttention`: they are
# the answer.
#
# <details><summary>Hint 1</summary>
#
# Four steps: scores; forbidden scores to $-\infty$ (a *new* tensor: `masked_fill`, without the underscore at its end); softmax over the
# keys; weights times values. A mask is `True` where attention is **allowed**.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For a row without any allowed key, look at what the softmax gives, and at what the weights of forbidden keys should be in *every* row.
# One more step after the softmax settles both.
#
# </details>


# %% exercise="scaled_dot_product_attention" forbids="scaled_dot_product_attention multi_head_attention_forward"
def scaled_dot_product_attention(
    q: Float[Tensor, "*batch T_q d_k"],
    k: Float[Tensor, "*batch T_k d_k"],
    v: Float[Tensor, "*batch T_k d_v"],
    mask: Bool[Tensor, "*#batch #T_q T_k"] | None = None,
) -> tuple[Float[Tensor, "*batch T_q d_v"], Float[Tensor, "*batch T_q T_k"]]:
    """The output and the attention weights (Vaswani et al. 2017, equation 1).

    The mask is True where attention is allowed and broadcasts to the scores. A row that
    may attend to nothing gets zero weights, never NaN.
    """
    ### BEGIN SOLUTION
    scores = attention_scores(q, k)
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
        # a row without any key is NaN here; forbidden weights are 0 in every row
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ v, weights
    ### END SOLUTION


# %% check="scaled_dot_product_attention" points=5
check(scaled_dot_product_attention)

# %% [markdown]
# ### Try the scale
# Move the slider: the raw dot products 112 and 96 are divided by something between 1 and 64. At $\sqrt{64} = 8$ you see the lecture's
# numbers. To the left the softmax becomes a hard choice, to the right the weights become equal. All numbers were computed by your functions.

# %% tags=["figure"]
DIVISORS = [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 40, 48, 56, 64]


def scaled(divisor):
    """Your scores and weights of 'Thinking', as if they had been divided by `divisor` instead of 8."""
    q = lecture_q[:1] * 8 / divisor
    return attention_scores(q, lecture_k)[0].tolist(), scaled_dot_product_attention(q, lecture_k, lecture_v)[1][0].tolist()


def build_view():
    return scale_view(WORDS, DIVISORS, [scaled(divisor) for divisor in DIVISORS], start=8)


def draw_scale(figure):
    for ax, divisor in zip(figure.subplots(1, 3, sharey=True), (1, 8, 64)):
        _, weights = scaled(divisor)
        bars = ax.bar(WORDS, weights, color=[plots.BLUE, plots.ORANGE], width=0.6)
        ax.bar_label(bars, fmt="%.2f")
        ax.set(title=f"divided by {divisor}", ylim=(0, 1.12))
    figure.axes[0].set_ylabel("weight")


view = attempt(build_view)
ALT_SCALE = "Softmax weights of Thinking for its scores 112 and 96 divided by 1 (1.00, 0.00), by 8 (0.88, 0.12) and by 64 (0.56, 0.44)"
if view:
    plots.show_html(view, still=draw_scale, alt=ALT_SCALE, width=7, height=2.6)
else:
    plots.show(draw_scale, alt=ALT_SCALE, width=7, height=2.6)

# %% [markdown]
# ## 5 · The layer
#
# A layer owns its three matrices and learns them. In PyTorch a learned matrix product is `nn.Linear(d_in, d_out, bias=False)`, which
# stores its matrix *transposed*, as `(d_out, d_in)`, and multiplies accordingly: `self.w_q(x)` is $x W^Q$.
#
# With `causal=True` the layer makes its own causal mask for however many words come in. When it is also given a mask (padding, say), a
# word may look only where **both** allow it.

# %% [markdown]
# ### Exercise 6 · `SelfAttention` (●●○, 15 minutes, 4 points)
#
# <details><summary>Hint 1</summary>
#
# In `__init__`, three `nn.Linear` named `w_q`, `w_k`, `w_v`, and remember whether the layer is causal. In `forward`, you have already
# written everything that you need.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Two boolean masks are combined with `&`, and broadcasting makes `(..., 1, T)` and `(T, T)` fit. Mind the cases where one of the two is
# absent.
#
# </details>


# %% exercise="SelfAttention"
class SelfAttention(nn.Module):
    """One head of self-attention: projections `w_q`, `w_k`, `w_v` (nn.Linear without
    bias, d_model to d_k) and nothing else.
    """

    def __init__(self, d_model: int, d_k: int, causal: bool = False) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.w_q = nn.Linear(d_model, d_k, bias=False)
        self.w_k = nn.Linear(d_model, d_k, bias=False)
        self.w_v = nn.Linear(d_model, d_k, bias=False)
        self.causal = causal
        ### END SOLUTION

    def forward(
        self,
        x: Float[Tensor, "*batch T d_model"],
        mask: Bool[Tensor, "*#batch #T T"] | None = None,
    ) -> tuple[Float[Tensor, "*batch T d_k"], Float[Tensor, "*batch T T"]]:
        """Each word's output, and what it attended to. A causal layer obeys its own
        mask and the given one.
        """
        ### BEGIN SOLUTION
        if self.causal:
            before = causal_mask(x.shape[-2], device=x.device)
            mask = before if mask is None else before & mask
        return scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)
        ### END SOLUTION


# %% check="SelfAttention" points=4
check(SelfAttention)

# %% [markdown]
# Here is a causal layer that has learned nothing yet, over our sentence with random word vectors. Each row sums to 1, nothing lies
# above the diagonal, and the first word can only look at itself.


# %% tags=["figure"]
def draw_untrained(figure):
    generator = torch.Generator().manual_seed(11)
    layer = SelfAttention(16, 8, causal=True)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.25, generator=generator)  # scores of typical size 1
    _, weights = layer(torch.randn(len(SENTENCE), 16, generator=generator))
    plots.heatmap(figure.subplots(), weights, SENTENCE, SENTENCE, label="weight", vmin=0, vmax=1)


plots.show(
    draw_untrained,
    alt="Heat map of an untrained causal layer's weights over the sentence about the FBI, words against words: a lower triangle with "
    "irregular shades, nothing above the diagonal",
    width=5.2,
    height=4,
)

# %% [markdown]
# ## 6 · Where it came from: reading with intra-attention
#
# Cheng et al. (2016) put attention inside an LSTM that reads word by word. At word $t$ the machine holds the states
# $h_1, \dots, h_{t-1}$ of the earlier words, the new word $x_t$, and a summary $\tilde h_{t-1}$ of what it attended to one step ago. It
# asks each earlier state with the *additive* score you know from lesson 02:
#
# $$a_i^t = v^\top \tanh(W_h h_i + W_x x_t + W_{\tilde h} \tilde h_{t-1}), \qquad s^t = \text{softmax}(a^t),
# \qquad \tilde h_t = \sum_i s_i^t h_i$$
#
# In the function below, `n` counts the earlier words ($n = t - 1$). The sum inside the tanh has one term that differs from state to state
# ($W_h h_i$, for all of them `(n, d_a)`) and two that are the same for all of them (shape `(d_a,)`). The last equation is why reading cannot be parallel: $\tilde h_t$ is needed at step $t + 1$. Vaswani et al.
# (2017) dropped the recurrence and the tanh; what remained was two matrix products for the whole sentence.

# %% [markdown]
# ### Exercise 7 · `intra_attention_weights` (●●○, 12 minutes, 3 points)
# The matrices are `(d_a, ·)`: they multiply a column vector from the left, as in the paper.
#
# <details><summary>Hint 1</summary>
#
# $W h_i$ for all $i$ at once, with the states as *rows*, is `h @ w.mT`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The two shared terms lack the dimension of the earlier words. Which index turns `(..., d_a)` into `(..., 1, d_a)`?
#
# </details>


# %% exercise="intra_attention_weights"
def intra_attention_weights(
    h: Float[Tensor, "*batch n d"],
    x_t: Float[Tensor, "*batch d_x"],
    h_tilde: Float[Tensor, "*batch d_tilde"],
    w_h: Float[Tensor, "d_a d"],
    w_x: Float[Tensor, "d_a d_x"],
    w_t: Float[Tensor, "d_a d_tilde"],
    v: Float[Tensor, "d_a"],
) -> Float[Tensor, "*batch n"]:
    """How much the word `x_t` attends to each of the `n` earlier states
    (Cheng et al. 2016).
    """
    ### BEGIN SOLUTION
    # (..., d_a): the same for every earlier word
    shared = x_t @ w_x.mT + h_tilde @ w_t.mT
    hidden = torch.tanh(h @ w_h.mT + shared[..., None, :])  # (..., n, d_a)
    return (hidden @ v).softmax(dim=-1)
    ### END SOLUTION


# %% check="intra_attention_weights" points=3
check(intra_attention_weights)

# %% [markdown]
# Now let your function read the sentence. Nothing is trained here: each word has four marks (thing, action, link, small word), its
# place and a constant 1, and the matrices are written by hand so that each hidden unit is a rule, such as *an action looks for things*.
# One unit prefers recent words, one prefers what was attended to a moment ago ($\tilde h$).

# %%
KINDS = {"thing": ("FBI", "criminal", "run"), "action": ("is", "chasing"), "link": ("on",), "small": ("The", "a", "the", ".")}
LOOKS_FOR = [  # (the new word is a, it looks for a, how much)
    ("action", "thing", 2.0),
    ("thing", "action", 1.2),
    ("thing", "thing", 1.5),
    ("link", "thing", 2.0),
    ("small", "link", 1.5),
    ("small", "action", 1.2),
]


def describe(words):
    """The hand-made word vectors (T, 6)."""
    return torch.tensor([[float(word in kind) for kind in KINDS.values()] + [i / 10, 1.0] for i, word in enumerate(words)])


def rules():
    """The matrices w_h, w_x, w_t (8, 6) and v (8,): a hidden unit is positive only where both sides of its rule hold."""
    w_h, w_x, w_t = torch.zeros(3, 8, 6)
    v = torch.tensor([weight for _, _, weight in LOOKS_FOR] + [3.0, 0.7])
    kinds = list(KINDS)
    for unit, (new, old, _) in enumerate(LOOKS_FOR):
        w_x[unit, kinds.index(new)], w_h[unit, kinds.index(old)], w_x[unit, 5] = 3.0, 3.0, -4.5
    w_h[6, 4] = 1.0  # the later, the better
    w_h[7, 0], w_t[7, 0], w_x[7, 5] = 3.0, 3.0, -4.5  # things, when things were on the mind
    return w_h, w_x, w_t, v


# %% tags=["figure"]
def draw_word_by_word(figure):
    states, h_tilde = describe(SENTENCE), torch.zeros(6)
    readings = [torch.zeros(0)]  # the first word has nothing to look back at
    for t in range(1, len(SENTENCE)):
        weights = intra_attention_weights(states[:t], states[t], h_tilde, *rules())
        h_tilde = weights @ states[:t]
        readings.append(weights)
    draw_reading(figure.subplots(), SENTENCE, readings)


plots.show(
    draw_word_by_word,
    alt="The sentence 'The FBI is chasing a criminal on the run .' on ten lines, one for each word read. 'chasing' looks back at 'FBI', "
    "'on' at 'criminal', 'run' mostly at 'criminal'",
    width=7,
    height=3.6,
)

# %% [markdown]
# Each line is one step of reading: the word being read in orange-red, what it attends to in blue, the stronger the more. *chasing* finds
# its chaser, *on* attaches to *criminal*, and *run* finds the one who runs. (After Cheng et al. 2016; the lecture shows the
# same sentence.)

# %% [markdown]
# ## 7 · The gradient, by hand
#
# Autograd has done this for you so far. Doing it once by hand shows what an attention layer can learn from, and when it learns nothing.
# Someone hands you $dZ$, the gradient of the loss in the output, of shape `(T_q, d_v)`. Go backwards, one step at a time:
#
# | forward | in words | backward | shape |
# | --- | --- | --- | --- |
# | $Z = A V$ | a matrix product | $dV = A^\top dZ$, $\;\; dA = dZ\, V^\top$ | $(T_k, d_v)$, $(T_q, T_k)$ |
# | $A = \text{softmax}(S)$ | row by row | $dS = ?$ | $(T_q, T_k)$ |
# | $S = Q K^\top / \sqrt{d_k}$ | a scaled matrix product | $dQ = ?$, $\;\; dK = ?$ | $(T_q, d_k)$, $(T_k, d_k)$ |
#
# For the softmax, start from one row: $\partial a_j / \partial s_m = a_j (\mathbb{1}[j = m] - a_m)$. Raising one score raises its own
# weight and lowers all others. The chain rule sums this over $j$, and it simplifies to something you can write without a loop and
# without a $T \times T \times T$ tensor.
#
# *Worked number.* Weights $(0.88, 0.12)$ and $dA = (1, 0)$, that is: the loss wants less of the first word. Then
# $ds_1 = 0.88 \cdot (1 - 0.88) = 0.1056$ and $ds_2 = 0.12 \cdot (0 - 0.88) = -0.1056$. A row of $dS$ always sums to 0, as adding a
# constant to all scores changes nothing. For the unscaled weights $(1 - 10^{-7}, 10^{-7})$ the same gradient is $10^{-7}$: from this word
# the layer would learn next to nothing.

# %% [markdown]
# ### Exercise 8 · `attention_backward` (●●●, 25 minutes, 4 points)
# No autograd, and no differences: to change each number a little and look at the loss takes a pass for each of them, and your function is
# also asked about vectors of 40,000 numbers, which the formula answers in a moment. Compute the weights again inside (that is also what
# memory-saving implementations do: Dao et al. 2022).
#
# <details><summary>Hint 1</summary>
#
# For one row, $ds_m = \sum_j da_j\, a_j (\mathbb{1}[j = m] - a_m)$. Split the sum at the minus sign. One half loses its sum; in the
# other, $a_m$ does not depend on $j$.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The second half holds one number per row, the average of $dA$ under the weights: a sum over the last dimension that keeps it
# (`keepdim=True`).
#
# </details>
# <details><summary>Hint 3</summary>
#
# For $C = A B$: $dA = dC\, B^\top$ and $dB = A^\top dC$. Here the second factor is $K^\top$, and the division by $\sqrt{d_k}$ is a
# constant that both gradients meet on their way.
#
# </details>


# %% exercise="attention_backward" forbids="backward torch.autograd torch.func"
def attention_backward(
    q: Float[Tensor, "*batch T_q d_k"],
    k: Float[Tensor, "*batch T_k d_k"],
    v: Float[Tensor, "*batch T_k d_v"],
    grad_output: Float[Tensor, "*batch T_q d_v"],
) -> tuple[
    Float[Tensor, "*batch T_q d_k"],
    Float[Tensor, "*batch T_k d_k"],
    Float[Tensor, "*batch T_k d_v"],
]:
    """The gradients dq, dk, dv of the loss, given its gradient in the output of
    unmasked attention.
    """
    ### BEGIN SOLUTION
    weights = attention_scores(q, k).softmax(dim=-1)
    d_v = weights.mT @ grad_output
    d_weights = grad_output @ v.mT
    # what adding a constant to all scores would change: nothing
    average = (weights * d_weights).sum(dim=-1, keepdim=True)
    d_scores = weights * (d_weights - average) / math.sqrt(q.shape[-1])
    return d_scores @ k, d_scores.mT @ q, d_v
    ### END SOLUTION


# %% check="attention_backward" points=4
check(attention_backward)

# %% [markdown]
# What does the scale do to learning? Below are 200 random sentences of ten words, with queries and keys of 64 unit-size numbers. The
# queries are multiplied by a factor, your gradient is taken, and the curve shows the length of `dq` for the typical (median) word: how much
# passes the softmax. Your layer works at factor 1. Without the division by $\sqrt{64}$ its scores would be those at factor 8, where
# {measured:scale.64.smaller:.1f} times less passes. For $d_k = 256$ and factor $\sqrt{256}$ it is {measured:scale.256.smaller:.0f} times
# less (means over {measured:scale.seeds} draws): most weights are so near 0 or 1 that a small change of the scores does not move them.
# It depends on the length, too: with 50 words and $d_k = 64$ it is {measured:scale.64.by_length.50:.1f} times less, with 3 words
# {measured:scale.64.by_length.3:.0f} times.
#
# This does not make all gradients small. In a layer without the division, what has passed the softmax is not divided by $\sqrt{d_k}$ either. So
# with ten words and $d_k = 64$ the typical query's gradient is {measured:scale.64.undivided.median:.1f} times as large as with the division, and the mean over all
# queries {measured:scale.64.undivided.average:.1f} times; with $d_k = 256$ it is {measured:scale.256.undivided.median:.2f} and
# {measured:scale.256.undivided.average:.1f} times. What the division prevents is that they are *unequal*: most words, whose choice is made, get next to
# nothing, and a few, whose best two scores lie close together, get very much. Does that harm the learning? We trained a layer to look up one of ten
# words of unit size ({measured:look_up.budget.steps} steps of Adam, {measured:look_up.seeds} seeds). With $d_k = 64$ it is right in {measured:look_up.64.divided:.0%} of the
# cases with the division and in {measured:look_up.64.undivided:.0%} without ({measured:look_up.64.undivided.range:.0%} in single runs); with $d_k = 256$, in {measured:look_up.256.divided:.0%} and
# {measured:look_up.256.undivided:.0%}. It is mostly a matter of time: after {measured:look_up_longer.budget.steps:,} steps it is right without the division in
# {measured:look_up_longer.64:.0%} ({measured:look_up_longer.64.range:.0%}) and {measured:look_up_longer.256:.0%} ({measured:look_up_longer.256.range:.0%}) of the cases.
#
# This is the gradient at the start, with random vectors. Trained weights can make scores of any size, with the division or without.


# %% tags=["figure"]
def draw_saturation(figure):
    generator = torch.Generator().manual_seed(5)
    q, k, v, grad_output = torch.randn(4, 200, 10, 64, generator=generator)
    factors = torch.logspace(-1, 1.5, 26)
    sizes = [attention_backward(q * factor, k, v, grad_output)[0].norm(dim=-1) for factor in factors]
    ax = figure.subplots()
    ax.loglog(factors, [float(size.median()) for size in sizes], label="typical query (median)")
    ax.fill_between(
        factors, *([float(size.quantile(share)) for size in sizes] for share in (0.25, 0.75)), alpha=0.18, linewidth=0, label="middle half"
    )
    for factor, color, name in ((1.0, plots.GREEN, "divided by √64"), (8.0, plots.ORANGE, "not divided")):
        ax.axvline(factor, color=color, linestyle=":", label=name)
    ax.set(xlabel="scores multiplied by", ylabel="length of dq", ylim=(1e-3, 10), title="Large scores: hardly any gradient passes the softmax")
    ax.legend(loc="lower left")


plots.show(
    draw_saturation,
    alt="The median length of dq against a factor on the scores, both logarithmic: flat at first, then falling steeply; marked are factor "
    "one, with the division, and factor eight, without it, where it is {measured:scale.64.smaller:.1f} times smaller",
    width=6.4,
    height=3.2,
)

# %% [markdown]
# ## 8 · Experiment: a layer learns to look back
#
# > The **agents** near the criminal **are** chasing …
#
# A verb agrees with its subject, not with whatever noun happens to stand before it. Linzen, Dupoux and Goldberg (2016) used this to ask
# what recurrent networks know of grammar. Here a model of *one* layer, your `SelfAttention`, learns to predict the next word of small
# sentences made by a grammar (`utils/agreement.py`): up to two adjectives, a subject, mostly a phrase with a second noun, the verb. To know
# whether *is* or *are* comes next, it must reach back over the distracting noun.
#
# Two models are trained alike. One sees all earlier words. The other has a mask that lets each word see only itself, so it must guess
# the verb from the word just before it. Both are tested on pairs of subject and distractor that never occurred in training.
# *Distracted* sentences are those where the two nouns differ in number. Before you run it: what share of them do you expect each model
# to get right?
#
# (A learned position vector is added to each word, since attention alone does not know the order of the words: that is lesson 05.)


# %%
class Reader(nn.Module):
    """Words and places → one self-attention layer → a score for every possible next word."""

    def __init__(self, d_model, generator, sees_others=True):
        super().__init__()
        self.words = nn.Embedding(len(agreement.VOCABULARY), d_model)
        self.places = nn.Embedding(agreement.MAX_LENGTH, d_model)
        self.attention = SelfAttention(d_model, d_model, causal=True)
        self.predict = nn.Linear(d_model, len(agreement.VOCABULARY), bias=False)
        self.sees_others = sees_others
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=d_model**-0.5, generator=generator)

    def forward(self, ids, lengths):
        n = ids.shape[-1]
        x = self.words(ids) + self.places.weight[:n]
        mask = padding_mask(lengths, n)
        if not self.sees_others:
            mask = mask & torch.eye(n, dtype=torch.bool)
        mixed, weights = self.attention(x, mask)
        return self.predict(x + mixed), weights


def train(sees_others, steps=400, seed=0, fronted=0.0):
    """A Reader trained on next-word prediction, and its loss at every step. `fronted`: the share of phrases that come first."""
    generator = torch.Generator().manual_seed(seed)
    data = agreement.sentences(2000, generator, fronted=fronted)
    model = Reader(32, generator, sees_others)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        rows = torch.randint(len(data), (64,), generator=generator)
        ids = data.ids[rows]
        logits, _ = model(ids, data.lengths[rows])
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


def examine(model, data):
    """Just before the verb: how often the right one of *is* and *are* has the higher score, in distracted and in other sentences, and how
    much weight the distracted ones give to the subject."""
    rows = torch.arange(len(data))
    with torch.no_grad():
        logits, weights = model(data.ids, data.lengths)
    is_, are = (logits[rows, data.verb - 1, agreement.NUMBER[word]] for word in ("is", "are"))
    right = ((is_ > are) == (data.ids[rows, data.verb] == agreement.NUMBER["is"])).double()
    on_subject = weights[rows, data.verb - 1, data.subject]
    return float(right[data.distracted].mean()), float(right[~data.distracted].mean()), float(on_subject[data.distracted].mean())


def held_out_sentences():
    """Pairs of nouns that training never shows together: with the subject first, and with the phrase first."""
    orders = {"subject_first": 0.0, "phrase_first": 1.0}
    return {name: agreement.sentences(1000, torch.Generator().manual_seed(99), True, fronted) for name, fronted in orders.items()}


# %% tags=["experiment"]
def compare(seed=0):
    """Train both models and test them on pairs of nouns that they have never seen together."""
    test = held_out_sentences()["subject_first"]
    outcome = {}
    for name, sees_others in (("sees earlier words", True), ("sees only itself", False)):
        model, losses = train(sees_others, seed=seed)
        distracted, other, on_subject = examine(model, test)
        outcome[name] = {"model": model, "losses": losses, "accuracy": (distracted, other), "on_subject": on_subject}
        print(
            f"{name:<19} right verb: {distracted:4.0%} of distracted sentences, {other:4.0%} of others; "
            f"weight on the subject {on_subject:.2f}"
        )
    return outcome


readers = attempt(compare)


# %% tags=["figure"]
def draw_training(figure):
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    for name, result in readers.items():
        left.plot(result["losses"], label=name)
    for shift, kind, color, shares in zip(
        (-0.18, 0.18), ("distracted", "other"), (plots.RED, plots.GREY), zip(*(r["accuracy"] for r in readers.values()))
    ):
        bars = right.bar([shift, 1 + shift], shares, width=0.34, color=color, label=kind)
        right.bar_label(bars, fmt="{:.0%}")
    left.set(xlabel="step", ylabel="loss (nats per word)", title="Next-word prediction", ylim=(0, None))
    left.legend()
    right.axhline(0.5, color=plots.GREY, linestyle=":")
    right.set_xticks(range(2), ["sees earlier\nwords", "sees only\nitself"])
    right.set(ylim=(0, 1.4), yticks=[0, 0.5, 1], title="Right verb")
    right.legend(ncols=2, loc="upper center")


plots.show(
    draw_training,
    alt="Left: the loss of the model that sees earlier words falls below that of the model that sees only itself. Right: with a "
    "distracting noun the first chooses the right verb nearly always, the second hardly ever",
    width=7,
    height=2.8,
)

# %% [markdown]
# Over {measured:looks_back.seeds} seeds, the model that sees earlier words has the verb right in
# {measured:looks_back.all.subject_first.distracted.range:.0%} of the distracted sentences, the other in
# {measured:looks_back.itself.subject_first.distracted.range:.0%}: that one follows the nearest noun, which is exactly the wrong one here.
# The losses differ by {measured:explained.gap:.2f} nats per word. {measured:explained.of_verbs:.0%} of this is the verb's, one word of about
# twelve; the rest is in other words that depend on earlier ones, such as what may follow a noun. Where does the first model look?


# %%
def read_with_model(words):
    """The trained model's weights over a sentence, (T, T)."""
    with torch.no_grad():
        _, weights = readers["sees earlier words"]["model"](agreement.encode(words)[None], torch.tensor([len(words)]))
    return weights[0, : len(words), : len(words)]


# %% tags=["figure"]
def draw_learned(figure):
    words = "The agents near the criminal are chasing a dog in the park .".split()
    plots.heatmap(figure.subplots(), read_with_model(words), words, words, label="weight", vmin=0, vmax=1)


plots.show(
    draw_learned,
    alt="Learned weights over 'The agents near the criminal are chasing a dog in the park .': in the row of 'criminal', which "
    "predicts the verb, most weight is on 'agents'",
    width=6,
    height=4.4,
)

# %% [markdown]
# Look at the row *criminal*: this is where the verb is predicted. In distracted sentences the weight on the subject in that row is
# {measured:looks_back.all.subject_first.on_subject:.2f} on average, {measured:looks_back.all.subject_first.on_subject.range:.2f} over the
# seeds. It is tempting to write: *the layer has found out what a subject is.* Has it? In all these sentences the subject is also simply
# **the first noun**. The two explanations differ in one place: on sentences whose phrase comes first.
#
# > **Near the criminal** the agents **are** chasing …
#
# Here the subject is the second noun, and stands just before its verb. The next cell tests the same model on such sentences, and then
# trains another, on sentences of both orders, for twice as many steps.

# %% tags=["experiment"]
def position_or_subject():
    """Right verbs in distracted sentences of either order: of the model above, and of one that was trained on both orders."""
    mixed, _ = train(True, steps=800, fronted=0.5)
    found = {}
    for name, model in (("subject always first", readers["sees earlier words"]["model"]), ("both orders", mixed)):
        found[name] = [examine(model, data)[0] for data in held_out_sentences().values()]
        print(f"trained on: {name:<20}  right verb, subject first: {found[name][0]:4.0%}   phrase first: {found[name][1]:4.0%}")
    return found


rivals = attempt(position_or_subject)


# %% tags=["figure"]
def draw_rivals(figure):
    ax = figure.subplots()
    for shift, name, color in ((-0.18, "subject first", plots.BLUE), (0.18, "phrase first", plots.ORANGE)):
        shares = [pair[shift > 0] for pair in rivals.values()]
        bars = ax.bar([shift, 1 + shift], shares, width=0.34, color=color, label=f"tested on: {name}")
        ax.bar_label(bars, fmt="{:.0%}")
    ax.axhline(0.5, color=plots.GREY, linestyle=":")
    ax.set_xticks(range(2), [f"trained on: {name}" for name in rivals])
    ax.set(ylim=(0, 1.45), yticks=[0, 0.5, 1], ylabel="right verb")
    ax.legend(ncols=2, loc="upper center")


plots.show(
    draw_rivals,
    alt="Right verbs in distracted sentences. Trained on subjects that come first: nearly all right in that order, few in the other. "
    "Trained on both orders: nearly all right in both",
    width=6,
    height=2.6,
)

# %% [markdown]
# Over {measured:looks_back.seeds} seeds: trained on subjects that always come first, the model is right in
# {measured:looks_back.all.phrase_first.distracted.range:.0%} of the distracted sentences of the other order, and in
# {measured:looks_back.all.phrase_first.other.range:.0%} of those whose two nouns agree: some models follow the first noun, others are simply lost. It is not the words *Near*,
# *Behind* and *With*, which it has never seen: with *The* in their place it is right in {measured:explained.known_words.range:.0%}. It had learned a rule that
# its training data could not tell from agreement with the subject, and that rule fails where the two part. Of
# {measured:both_orders.seeds} models that were trained on both orders, {measured:both_orders.learned.mean:.0%} are right in more than
# nine of ten distracted sentences of either order (after half as many steps, {measured:both_orders_shorter.learned.mean:.0%}); the others know one order better than the other. A model
# learns what tells its examples apart, not what we had in mind, and not each time; what it has learned shows on examples where two
# explanations predict different things. The heat map alone could not have shown it.
#
# And here the first model reads the lecture's sentence. A word may attend to itself now, so the word being read has a shade as well.


# %% tags=["figure"]
def draw_trained_reading(figure):
    weights = read_with_model(SENTENCE)
    draw_reading(figure.subplots(), SENTENCE, [weights[t, : t + 1] for t in range(len(SENTENCE))])


plots.show(
    draw_trained_reading,
    alt="The sentence about the FBI on ten lines, one for each word, read by the trained model: each word's weights on itself and on the "
    "words before it",
    width=7,
    height=3.6,
)

# %% [markdown]
# It reads unlike the hand-made rules: in its sentences nothing earlier helps to guess what follows *chasing*, so nothing in training said
# where *chasing* should look. A weight tells where a word took its value from, not why, and where the value does not matter the weight is
# free to be anything. Whether attention explains a model's output was argued over: Jain and Wallace (2019) found other weights that give
# the same output, Wiegreffe and Pinter (2019) replied that this alone does not make the weights useless as an explanation. Both
# sides test by experiment, as you just did.

# %% [markdown]
# ## 9 · What it costs
#
# Every pair of words has a score, so $T$ words need $T^2$ of them: for twice as many words, four times as much work and memory goes into
# scores and weights. Written step by step, the reference answer holds two such matrices at its peak, the scores and their softmax. At $T = 2048$ one of them has
# $2048^2 \cdot 4$ bytes = 16 MiB, for one head of one layer and one sentence. The experiment measures time and memory on this machine;
# both axes count in powers of two, so a quadratic cost is a line that climbs two steps for each step to the right.

# %% tags=["experiment"]
LENGTHS = [128, 256, 512, 1024, 2048]


def cost_of(attend):
    """Time and peak memory of `attend(q, k, v)` at every length, for vectors of 64 numbers."""
    generator = torch.Generator().manual_seed(1)
    return [measure(attend, *torch.randn(3, n, 64, generator=generator)) for n in LENGTHS]


costs = {"your attention": attempt(cost_of, scaled_dot_product_attention)}


# %% tags=["figure"]
def draw_costs(figure):
    time, memory = figure.subplots(1, 2)
    for name, measured in costs.items():
        time.loglog(LENGTHS, [cost.seconds * 1e3 for cost in measured], "o-", base=2, label=name)
        memory.loglog(LENGTHS, [cost.peak_bytes / 2**20 for cost in measured], "o-", base=2, label=name)
    memory.loglog(LENGTHS, [4 * n * n / 2**20 for n in LENGTHS], ":", base=2, color=plots.GREY, label="one T × T matrix")
    time.set(xlabel="T", ylabel="milliseconds", title="Time")
    memory.set(xlabel="T", ylabel="MiB", title="Peak memory")
    memory.legend()


plots.show(
    draw_costs,
    alt="Time and peak memory of your attention against the length T: for long texts both grow with the square of T",
    width=7,
    height=2.8,
)

# %% [markdown]
# ### Against a recurrence and a convolution
# Two other layers let words meet: a recurrent one (lesson 02) and a causal convolution, in which each word sees itself and the $k - 1$
# words before it. Vaswani et al. (2017, §4) compare the three by three numbers. Here they are for $T$ words of $d$ numbers, with
# $T = 100$, $d = 512$, $k = 3$ in brackets:
#
# | layer | multiply-adds | steps one after the other | layers until the last word depends on the first |
# | --- | --- | --- | --- |
# | self-attention | $3 T d^2 + 2 T^2 d$ (89 million) | 1 | 1 |
# | recurrence, plain | $2 T d^2$ (52 million) | $T$ (100) | 1, through $T - 1$ steps of it |
# | convolution | $k T d^2$ (79 million) | 1 | $\lceil (T-1)/(k-1) \rceil$ (50) |
#
# A plain recurrence, $\tanh(W x_t + U h_{t-1})$, is the cheapest here (a GRU has three times as many products and, at this length, costs
# most). But it takes its steps one after the other, since each begins with the result of the last. (Without the tanh it would be linear in
# that, and linear recurrences can be computed in parallel: Martin and Cundy 2018.) The convolution is parallel over the words, but what
# stands far away reaches a word only through many layers. Self-attention has both, parallel and in one layer, and pays with the term in $T^2$. The cell below counts layers by
# asking where the gradient of the last word arrives.


# %%
def layers_until_seen(layer, n, d=8):
    """How many times `layer` must be applied before the last of `n` words depends on the first."""
    x = torch.randn(1, n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    y = x
    for count in range(1, n + 1):
        y = layer(y)
        (gradient,) = torch.autograd.grad(y[0, -1].sum(), x, retain_graph=True)
        if gradient[0, 0].abs().max() > 0:
            return count
    return None


def three_layers(d=8, width=3):
    """A layer of each kind, on `(B, T, d)`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        attention, recurrence, convolution = SelfAttention(d, d, causal=True), nn.GRU(d, d, batch_first=True), nn.Conv1d(d, d, width)
    for module in (attention, recurrence, convolution):
        module.double()
    return {
        "self-attention": lambda x: attention(x)[0],
        "recurrence": lambda x: recurrence(x)[0],
        "convolution": lambda x: convolution(F.pad(x.mT, (width - 1, 0))).mT,
    }


# %% tags=["experiment"]
def count_layers():
    for name, layer in three_layers().items():
        print(f"{name:<15}", "   ".join(f"{n} words: {layers_until_seen(layer, n)}" for n in (4, 8, 16, 32)))


_ = attempt(count_layers)

# %% [markdown]
# ## Written question (3 points, graded by a person)
#
# A colleague has written a self-attention layer with `d_k = 256`, no causal mask and no positions, and has made two changes to what you
# built: the scores are **not divided** by anything, and padding is hidden by setting the *weights* of padded words to 0 **after** the
# softmax.
#
# 1. What do the weights and the gradients look like in the first steps of training, and why? Say how large a typical score is.
# 2. What is wrong with the outputs in a batch of sentences of different lengths? Give a small numerical example.
# 3. The colleague notes that *dog bites man* and *man bites dog* give the word *dog* the same output. Is this a third mistake? Would a
#    causal mask change it?
#
# About 150 words.

# %% [markdown] question="written_question" points=3
# ### BEGIN SOLUTION
# **Model answer.** (1) With unit-size entries a score is a sum of 256 products, so its standard deviation is √256 = 16. A softmax over
# scores that are tens apart gives nearly all weight to one word, at random at this stage. Its gradient is a · (1 − a) on the diagonal
# and −aᵢaⱼ elsewhere, all close to 0 for most words, from which W_q and W_k then learn hardly anything; a few words with two scores close together decide. (2) Padded words still take part in the denominator. Scores (0, 0)
# and a padded second word: the weights are (½, ½), after zeroing (½, 0), and the output is half of v₁ instead of v₁. So outputs shrink
# with the amount of padding, and the same sentence gives another result in another batch. Scores have to be set to −∞ before the
# softmax. (3) No mistake, but a property: attention is a weighted sum over a *set* of words. Reordering the words reorders the outputs
# and changes none of them, so order has to come in through the inputs (positions, lesson 05). With a causal mask *dog* sees only itself
# in the first sentence and all three words in the second, so its outputs differ; but a word's output still does not depend on the
# *order* of the words before it.
#
# **Rubric**
# - 1 point: typical score 16 (or √d_k), hence nearly one-hot weights, hence vanishing softmax gradients. Half a point if the gradient
#   is missing.
# - 1 point: rows no longer sum to one, with a correct numerical example. Half a point without the example.
# - 1 point: permuted inputs give permuted outputs, order needs positions, **and** a causal mask makes the two differ. Half a point if
#   the causal part is missing or wrong.
# ### END SOLUTION

# %% [markdown]
# ## Stretch · Attention without the big matrix (ungraded)
#
# A softmax seems to need all scores before it can give the first weight, because of its denominator. It does not (Milakov and
# Gimelshein 2018). Read keys and values in blocks, and keep for each query only three things: the largest score so far $m$, the sum
# $\ell = \sum_j e^{s_j - m}$, and the sum of values $o = \sum_j e^{s_j - m} v_j$. When a block brings a larger score, $m$ grows to
# $m'$, and everything summed so far has to shrink by $e^{m - m'}$. In the end $z = o / \ell$.
#
# *Worked number.* The lecture's scores in blocks of one, *Machines* (12) read before *Thinking* (14). After 12: $m = 12$, $\ell = 1$.
# Then 14: $m' = 14$, and $\ell = 1 \cdot e^{12 - 14} + 1 = 1.135$. The weight of *Thinking* is $1 / 1.135 = 0.88$, as it must be.
#
# The largest tensor is now $T \cdot$ `block_size` instead of $T^2$ (Rabe and Staats 2021). `check` looks at that too: with 128 queries and
# keys in blocks of 4, no tensor of yours may hold more than $4 \cdot 128 \cdot 4$ numbers. Done block by block inside a GPU's fast memory this is
# FlashAttention (Dao et al. 2022).
#
# ### `streaming_attention` (●●●, 30 minutes, no points)
#
# <details><summary>Hint 1</summary>
#
# Begin with $m = -\infty$ for every query, shape `(..., T_q, 1)`, and zeros for the two sums. `k.split(block_size, dim=-2)` gives the
# blocks.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Compute the new largest score first, then the factor by which the old sums shrink, then the block's own powers, all relative to the
# *new* largest.
#
# </details>


# %% exercise="streaming_attention" tags=["stretch"] forbids="scaled_dot_product_attention"
def streaming_attention(
    q: Float[Tensor, "*batch T_q d_k"],
    k: Float[Tensor, "*batch T_k d_k"],
    v: Float[Tensor, "*batch T_k d_v"],
    block_size: int,
) -> Float[Tensor, "*batch T_q d_v"]:
    """The output of unmasked attention, from one block of `block_size` keys and values
    at a time (Rabe and Staats 2021).

    A `block_size` below 1 is a ValueError.
    """
    ### BEGIN SOLUTION
    if block_size < 1:
        raise ValueError(f"block_size must be at least 1, got {block_size}")
    # of the scores so far, for every query
    largest = q.new_full((*q.shape[:-1], 1), -math.inf)
    total = torch.zeros_like(largest)  # Σ exp(score − largest)
    weighted = q.new_zeros(*q.shape[:-1], v.shape[-1])  # Σ exp(score − largest) · v
    for k_block, v_block in zip(
        k.split(block_size, dim=-2), v.split(block_size, dim=-2)
    ):
        scores = attention_scores(q, k_block)
        previous, largest = (
            largest, torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
        )
        shrink, terms = (previous - largest).exp(), (scores - largest).exp()
        total = total * shrink + terms.sum(dim=-1, keepdim=True)
        weighted = weighted * shrink + terms @ v_block
    return weighted / total
    ### END SOLUTION


# %% check="streaming_attention" points=0
check(streaming_attention)


# %% tags=["experiment"]
def in_blocks(q, k, v):
    return streaming_attention(q, k, v, 64)


costs["streaming, blocks of 64"] = attempt(cost_of, in_blocks)

# %% tags=["figure"]
plots.show(
    draw_costs,
    alt="The same picture with a second line: streaming attention's peak memory grows with T instead of its square",
    width=7,
    height=2.8,
)

# %% [markdown]
# ## What you have built
#
# You can now say what every letter of $\text{softmax}(QK^\top / \sqrt{d_k})\,V$ stands for, what it costs, how it is masked, and what
# its gradient is. Lesson 04 runs several of these side by side, lesson 05 tells them the order of the words, and lesson 07 stacks them
# into a GPT.
#
# **Sources.** The lecture: *Attention and Language Modeling*, CSE 291 AI Agents, Prithviraj Ammanabrolu. Its worked numbers go back to
# Jay Alammar's *The Illustrated Transformer* (2018).
#
# - Cheng, Dong and Lapata (2016), *Long Short-Term Memory-Networks for Machine Reading*, EMNLP.
# - Vaswani et al. (2017), *Attention Is All You Need*, NeurIPS.
# - Linzen, Dupoux and Goldberg (2016), *Assessing the Ability of LSTMs to Learn Syntax-Sensitive Dependencies*, TACL.
# - Jain and Wallace (2019), *Attention is not Explanation*, NAACL; Wiegreffe and Pinter (2019), *Attention is not not Explanation*, EMNLP.
# - Martin and Cundy (2018), *Parallelizing Linear Recurrent Neural Nets Over Sequence Length*, ICLR.
# - Milakov and Gimelshein (2018), *Online normalizer calculation for softmax*; Rabe and Staats (2021), *Self-attention Does Not Need
#   O(n²) Memory*; Dao et al. (2022), *FlashAttention*, NeurIPS.

# %% tags=["figure"]
lesson.scoreboard()
