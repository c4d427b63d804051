# %% [markdown]
# # 03 · Self-attention
# *Needs: lesson 02 (attention over a source sequence) · about 2 hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# In lesson 02 a decoder looked back at *another* sequence: the sentence to be translated. Here a sequence looks at **itself**.
# Read this one slowly:
#
# > The FBI is chasing a criminal on the run .
#
# When you reach *chasing* you still hold *The FBI* in mind, because chasing needs a chaser. When you reach *run*, you know who is
# on the run. Every word was understood with the help of words before it, and not all of them: a few, chosen by need.
# Cheng, Dong and Lapata (2016) built this into a reading machine and called it *intra-attention*; today it is called **self-attention**,
# and it is what every layer of a GPT consists of, next to a small feed-forward network.
#
# You will write it from its first matrix product to its gradient, and then train a layer of it in seconds that learns to look back
# over a distracting noun to find its subject. By the end you can say what each of these letters is, and why the 8 is there:
#
# $$\text{Attention}(Q, K, V) = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V, \qquad \sqrt{64} = 8$$
#
# | | Exercise | Difficulty | Minutes | Points |
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
from tqdm.auto import tqdm

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
# **Conventions.** `...` in a shape stands for any number of batch dimensions, including none, so use `transpose(-2, -1)` (or `.mT`) and `dim=-1`
# rather than counting dimensions from the left. Results keep the dtype and device of the inputs, and inputs are never changed in place.
# A mask is boolean, `True` where attention is allowed. A figure that says it is waiting for your function draws itself once you have
# written it: run its cell again.

# %% [markdown]
# ## 1 · Every word asks, offers and tells
#
# A word enters the layer as a vector $x_i$ of `d_model` numbers. The layer makes three vectors of it, each by a learned matrix:
#
# | vector | | the question it answers (from the lecture) |
# | --- | --- | --- |
# | query | $q_i = x_i W^Q$ | What are the things I am looking for? |
# | key | $k_i = x_i W^K$ | What are the things that I have? |
# | value | $v_i = x_i W^V$ | What are the things that I will communicate? |
#
# Why three and not one? If a word's vector served as both its query and its key, then the score of *chasing* for *FBI* would always equal the
# score of *FBI* for *chasing*, and most words would like themselves best. Separate matrices let a verb look for its subject without the
# subject having to look for the verb.
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
) -> tuple[Float[Tensor, "*batch T d_k"], Float[Tensor, "*batch T d_k"], Float[Tensor, "*batch T d_v"]]:
    """The queries, keys and values of every word of `x`, in this order (Vaswani et al. 2017, §3.2)."""
    ### BEGIN SOLUTION
    return x @ w_q, x @ w_k, x @ w_v
    ### END SOLUTION


# %% check="query_key_value" points=2
check(query_key_value)

# %% [markdown]
# The lecture's example has two words, *Thinking* and *Machines*. Below, 4 numbers a word become 3-number queries and keys and 2-number values
# (a real layer has hundreds). Look at the shapes: the number of rows never changes, a projection never mixes words.

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
    alt="Four small matrices side by side: embeddings (2, 4), queries (2, 3), keys (2, 3) and values (2, 2), one row for each of the two words",
    width=7,
    height=1.9,
)

# %% [markdown]
# ## 2 · A score for every pair of words
#
# How much should word $i$ care about word $j$? Compare what $i$ looks for with what $j$ has: the dot product $q_i \cdot k_j$.
# All pairs at once are one matrix product, with a row for every query and a column for every key:
#
# $$S = \frac{Q K^\top}{\sqrt{d_k}} \quad\text{of shape } (T_q, T_k), \qquad s_{ij} = \frac{q_i \cdot k_j}{\sqrt{d_k}}$$
#
# Queries and keys may come from sequences of different lengths (a decoder that asks, an encoder that answers), so keep $T_q$ and $T_k$ apart.
#
# *Worked number, from the lecture.* For *Thinking* ($d_k = 64$) the dot products are $q_1 \cdot k_1 = 112$ and $q_1 \cdot k_2 = 96$.
# Divided by $\sqrt{64} = 8$ they are **14** and **12**, and the softmax of 14 and 12 is **0.88** and **0.12**.
# Without the division it would be the softmax of 112 and 96: $e^{-16} \approx 10^{-7}$ is left for the second word.

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
    """How well each query fits each key: their dot products divided by √d_k (Vaswani et al. 2017, §3.2.1)."""
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
        plots.heatmap(ax, values, WORDS if name == "q · k" else ["", ""], WORDS, annotate=True, vmin=0, vmax=top)
        ax.set_title(name)


plots.show(
    draw_lecture_scores,
    alt="Three 2 by 2 matrices. Thinking's row: dot products 112 and 96, divided by eight 14 and 12, softmax 0.88 and 0.12",
    width=7,
    height=2.2,
)

# %% [markdown]
# ### Why the square root?
# Let the numbers in $q$ and $k$ be independent with mean 0 and variance 1. Then $q \cdot k$ is a sum of $d_k$ products, each with mean 0 and
# variance 1, so its variance is $d_k$ and its typical size $\sqrt{d_k}$ (Vaswani et al. 2017, footnote 4). Longer vectors mean larger scores, and a
# softmax over large scores gives everything to one word. Dividing by $\sqrt{d_k}$ brings the typical size back to 1, whatever the length;
# dividing by $d_k$ would overdo it and make the scores of long vectors all nearly 0. The figure measures both from your scores.

# %% tags=["figure"]
def draw_spread(figure):
    generator = torch.Generator().manual_seed(7)
    sizes = [4, 8, 16, 32, 64, 128, 256, 512]
    scores = [attention_scores(*torch.randn(2, 200, d, generator=generator)) for d in sizes]
    left, right = figure.subplots(1, 2)
    left.loglog(sizes, [float(s.std()) * math.sqrt(d) for s, d in zip(scores, sizes)], "o-", color=plots.ORANGE, label="q · k")
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
    "Right: the largest of ten softmax weights goes to one for raw dot products and stays near 0.35 for scaled scores",
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
# **Padding.** Sentences of a batch have different lengths, and tensors are rectangular, so short ones are filled up with meaningless padding that nobody
# may look at. For lengths `[3, 1]` and width $n = 4$ the rows are `1 1 1 0` and `1 0 0 0`. The same row holds for *every* query of its sentence, so the mask has
# shape `(..., 1, n)`: the 1 stretches (broadcasts) over the queries.
#
# A score that is not allowed is set to $-\infty$ before the softmax; $e^{-\infty} = 0$, so its weight is exactly 0 and the allowed ones still sum to 1.
# (Setting *weights* to 0 after the softmax would leave rows that sum to less than 1.)

# %% [markdown]
# ### Exercise 3 · `causal_mask` (●○○, 5 minutes, 1.5 points)

# %% exercise="causal_mask"
def causal_mask(n: int, device: torch.device | str | None = None) -> Bool[Tensor, "n n"]:
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
# Position $j$ is a real word exactly if $j$ is smaller than the sentence's length. Which two tensors can you compare, and with which shapes, so that
# broadcasting makes all comparisons at once?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The positions are a tensor of shape `(n,)`, on the device of `lengths`. Give `lengths` two more dimensions of size 1 at its end.
#
# </details>

# %% exercise="padding_mask"
def padding_mask(lengths: Int[Tensor, "*batch"], n: int) -> Bool[Tensor, "*batch 1 n"]:
    """True for the first `length` of `n` positions of each sentence; on the device of `lengths`."""
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
# Now put it together. The softmax turns each *row* of scores into weights that sum to 1: how word $i$ divides its attention among the keys.
# The output of word $i$ is the average of the values with these weights:
#
# $$A = \text{softmax}(S) \;\;(T_q, T_k), \qquad Z = A V \;\;(T_q, d_v), \qquad z_i = \sum_j a_{ij} v_j$$
#
# *Worked number.* With the lecture's weights, $z_1 = 0.88\, v_1 + 0.12\, v_2$: after the layer, *Thinking* still mostly means thinking, with a pinch of machines.
#
# **A word that may see nothing.** In a batch, a sentence can be empty, or a mask can forbid a row everything. The softmax of a row of $-\infty$ is
# $0/0$ = NaN, and one NaN spreads through the next layer to every word. The course's rule: such a row has all-zero weights and a zero output,
# and its gradient is zero too, never NaN.

# %% [markdown]
# ### Exercise 5 · `scaled_dot_product_attention` (●●○, 15 minutes, 5 points)
# Use `torch.softmax` and your own `attention_scores`, but not PyTorch's function of this name, nor `nn.MultiheadAttention`: they are the answer.
#
# <details><summary>Hint 1</summary>
#
# Four steps: scores; forbidden scores to $-\infty$ (a *new* tensor: `masked_fill`, without the underscore at its end); softmax over the keys;
# weights times values. A mask is `True` where attention is **allowed**.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For a row without any allowed key, look at what the softmax gives, and at what the weights of forbidden keys should be in *every* row. One more
# step after the softmax settles both.
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

    The mask is True where attention is allowed and broadcasts to the scores. A row that may attend to nothing gets zero weights, never NaN.
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
# Move the slider: the raw dot products 112 and 96 are divided by something between 1 and 64. At $\sqrt{64} = 8$ you see the lecture's numbers.
# To the left the softmax becomes a hard choice, to the right it stops choosing. All numbers were computed by your functions.

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
# A layer owns its three matrices and learns them. In PyTorch a learned matrix product is `nn.Linear(d_in, d_out, bias=False)`, which stores its
# matrix *transposed*, as `(d_out, d_in)`, and multiplies accordingly: `self.w_q(x)` is $x W^Q$.
#
# With `causal=True` the layer makes its own causal mask for however many words come in. When it is also given a mask (padding, say),
# a word may look only where **both** allow it.

# %% [markdown]
# ### Exercise 6 · `SelfAttention` (●●○, 15 minutes, 4 points)
#
# <details><summary>Hint 1</summary>
#
# In `__init__`, three `nn.Linear` named `w_q`, `w_k`, `w_v`, and remember whether the layer is causal. In `forward`, you have already written everything that
# you need.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Two boolean masks are combined with `&`, and broadcasting makes `(..., 1, T)` and `(T, T)` fit. Mind the cases where one of the two is absent.
#
# </details>

# %% exercise="SelfAttention"
class SelfAttention(nn.Module):
    """One head of self-attention: projections `w_q`, `w_k`, `w_v` (nn.Linear without bias, d_model to d_k) and nothing else."""

    def __init__(self, d_model: int, d_k: int, causal: bool = False) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.w_q = nn.Linear(d_model, d_k, bias=False)
        self.w_k = nn.Linear(d_model, d_k, bias=False)
        self.w_v = nn.Linear(d_model, d_k, bias=False)
        self.causal = causal
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "*batch T d_model"], mask: Bool[Tensor, "*#batch #T T"] | None = None
    ) -> tuple[Float[Tensor, "*batch T d_k"], Float[Tensor, "*batch T T"]]:
        """Each word's output, and what it attended to. A causal layer obeys its own mask and the given one."""
        ### BEGIN SOLUTION
        if self.causal:
            before = causal_mask(x.shape[-2], device=x.device)
            mask = before if mask is None else before & mask
        return scaled_dot_product_attention(self.w_q(x), self.w_k(x), self.w_v(x), mask)
        ### END SOLUTION


# %% check="SelfAttention" points=4
check(SelfAttention)

# %% [markdown]
# Here is a causal layer that has learned nothing yet, over our sentence with random word vectors. Each row sums to 1, nothing lies above the
# diagonal, and the first word can only look at itself.

# %% tags=["figure"]
def draw_untrained(figure):
    generator = torch.Generator().manual_seed(11)
    layer = SelfAttention(16, 8, causal=True)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.35, generator=generator)
    _, weights = layer(torch.randn(len(SENTENCE), 16, generator=generator))
    plots.heatmap(figure.subplots(), weights, SENTENCE, SENTENCE, label="weight", vmin=0, vmax=1)


plots.show(
    draw_untrained,
    alt="Heat map of an untrained causal layer's weights over the sentence about the FBI: a lower triangle with irregular shades",
    width=5.2,
    height=4,
)

# %% [markdown]
# ## 6 · Where it came from: reading with intra-attention
#
# Cheng et al. (2016) put attention inside an LSTM that reads word by word. At word $t$ the machine holds its states $h_1, \dots, h_{t-1}$ of all
# earlier words, the new word $x_t$, and a summary $\tilde h_{t-1}$ of what it attended to one step ago. It asks each earlier state
# with the *additive* score you know from lesson 02:
#
# $$a_i^t = v^\top \tanh(W_h h_i + W_x x_t + W_{\tilde h} \tilde h_{t-1}), \qquad s^t = \text{softmax}(a^t), \qquad \tilde h_t = \sum_i s_i^t h_i$$
#
# The sum inside the tanh has one term that differs from state to state ($W_h h_i$, shape `(t, d_a)`) and two that are the same for all of them
# (shape `(d_a,)`). The last equation is why reading cannot be parallel: $\tilde h_t$ is needed at step $t + 1$. Vaswani et al. (2017) dropped the recurrence and the tanh;
# what remained was two matrix products for the whole sentence.

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
    h: Float[Tensor, "*batch t d"],
    x_t: Float[Tensor, "*batch d_x"],
    h_tilde: Float[Tensor, "*batch d_tilde"],
    w_h: Float[Tensor, "d_a d"],
    w_x: Float[Tensor, "d_a d_x"],
    w_t: Float[Tensor, "d_a d_tilde"],
    v: Float[Tensor, "d_a"],
) -> Float[Tensor, "*batch t"]:
    """How much the word `x_t` attends to each of the `t` earlier states (Cheng et al. 2016, equations 4 and 5)."""
    ### BEGIN SOLUTION
    shared = x_t @ w_x.mT + h_tilde @ w_t.mT  # (..., d_a): the same for every earlier word
    hidden = torch.tanh(h @ w_h.mT + shared[..., None, :])  # (..., t, d_a)
    return (hidden @ v).softmax(dim=-1)
    ### END SOLUTION


# %% check="intra_attention_weights" points=3
check(intra_attention_weights)
