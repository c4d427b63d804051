# %% [markdown]
# # 02 · Attention as alignment
# *Needs: recurrent networks (a GRU is a box with a state), softmax · about 2 hours · CPU is enough · 24 points by checks, 3 for the
# written question*
#
# What kind of network could be a model of a world that is described in *language*? For some years the best answer was the
# **encoder–decoder** (Cho et al. 2014a; Sutskever, Vinyals and Le 2014): a recurrent network reads a sentence into one vector, another
# writes from it. You will measure its weakness, and build the remedy. The task: people write dates in many ways, a database wants one.
#
# | what people write | ISO 8601 |
# | --- | --- |
# | `24.9.1987` | `1987-09-24` |
# | `quinta-feira, 24 de setembro de 1987` | `1987-09-24` |
# | `4 Kasım 1987 Çarşamba – 12 Mart 1991 Salı` | `1987-11-04/1991-03-12` |
#
# A network reads characters, in ten languages, and nobody tells it what a month is.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `alignment_weights` | ●●○ | 12 | 3 |
# | 2 | `context_vector` | ●○○ | 5 | 1 |
# | 3 | `content_based_score` | ●●○ | 8 | 1.5 |
# | 4 | `additive_score` | ●●○ | 12 | 2.5 |
# | 5 | `location_score` | ●○○ | 4 | 1 |
# | 6 | `general_score` | ●●○ | 8 | 1.5 |
# | 7 | `dot_score` | ●○○ | 4 | 1 |
# | 8 | `scaled_dot_score` | ●○○ | 3 | 1 |
# | 9 | `predict_position` | ●●○ | 8 | 2 |
# | 10 | `local_attention_weights` | ●●● | 18 | 3.5 |
# | 11 | `AdditiveAttention` | ●●○ | 12 | 2.5 |
# | 12 | `AttentionDecoderCell` | ●●○ | 15 | 3.5 |
# | | written question | | 10 | 3 |
# | ★ | `monotonic_local_weights` (stretch) | ●●○ | 12 | – |

# %% tags=["setup"]
import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from autograde.notebook import open_lesson
from utils import dates, plots, seq2seq
from utils.lesson import attempt

lesson = open_lesson("02_attention_alignment", globals())
check = lesson.check

# %% [markdown]
# **Conventions.** `...` in a shape stands for any number of batch dimensions, including none, so count dimensions from the right
# (`dim=-1`). Results keep the dtype and device of the inputs; inputs are never changed in place. A mask is boolean, `True` where
# attention is allowed; one without batch dimensions holds for the whole batch. Where a figure waits for your function, write it and
# run the cell again.

# %% [markdown]
# ## 1 · One vector for everything
#
# The encoder reads $\mathbf{x} = [x_1, \dots, x_n]$ and keeps a state $\mathbf{h}_i$ for each character. Ours is a bidirectional GRU:
# half of a state has read from the left, half from the right. The decoder gets one vector, made of either direction's last state,
#
# $$\mathbf{c} = \tanh(\mathbf{W} [\overrightarrow{\mathbf{h}}_n; \overleftarrow{\mathbf{h}}_1]),
# \qquad \mathbf{s}_t = \text{RNN}(\mathbf{s}_{t-1}, y_{t-1}, \mathbf{c}),$$
#
# from which it writes $\mathbf{y} = [y_1, \dots, y_m]$. It starts from $\mathbf{c}$ and sees this same $\mathbf{c}$ at every step
# (Cho et al. 2014a).
#
# The vector has 64 numbers whether the source has 8 characters or 70. Cho et al. (2014b) saw translations get worse quickly as
# sentences grow. Dates tell length and content apart: a weekday adds characters only, a second date doubles what has to be remembered.
# Half of our sources hold one date, half a period of two.

# %%
N_TRAIN, N_TEST = 6000, 400


def make_data(seed=0):
    """Training pairs, and test pairs of days that training never shows: half of them one date, half a period of two."""
    generator = torch.Generator().manual_seed(seed)
    train = [pair for n_dates in (1, 2) for pair in dates.sample_pairs(N_TRAIN, generator, n_dates)]
    test = [pair for n_dates in (1, 2) for pair in dates.sample_pairs(N_TEST, generator, n_dates, held_out=True)]
    return train, test


def train_one_vector(train, seed=0, steps=1100, width=64):
    """The encoder–decoder without attention, with a vector of `width` numbers."""
    model = seq2seq.seeded(seed, lambda: seq2seq.OneVectorReader(64, width))
    seq2seq.train(model, train, steps, torch.Generator().manual_seed(seed), batch_size=64, lr=1e-2, label="one vector")
    return model


# %% tags=["experiment"]
train_pairs, test_pairs = make_data()
for pair in [pair for pair in test_pairs if pair.style != "numeric"][::75]:
    print(f"{pair.source:<64} {pair.target}")

# %% tags=["experiment"]
one_vector = attempt(train_one_vector, train_pairs)  # about half a minute
one_vector_right = attempt(seq2seq.exact_matches, one_vector, test_pairs)


# %% tags=["figure"]
def draw_accuracy(figure, results):
    """Share of sources written without a mistake, in groups of like length; `results` is a list of (name, which are right, colour)."""
    ax = figure.subplots()
    length = torch.tensor([len(pair.source) for pair in test_pairs])
    two = torch.tensor([pair.n_dates == 2 for pair in test_pairs])
    edges = [0, 10, 14, 18, 22, 28, 36, 44, 80]
    for name, right, color in results:
        for kind, line in ((two, "s--"), (~two, "o-")):
            groups = [kind & (length > low) & (length <= high) for low, high in zip(edges, edges[1:])]
            points = [(float(length[g].double().mean()), float(right[g].double().mean())) for g in groups if int(g.sum()) >= 8]
            ax.plot(*zip(*points), line, color=color, label=f"{name}, {'a period of two' if kind is two else 'one date'}")
    ax.set(xlabel="characters in the source", ylabel="exact matches", ylim=(-0.03, 1.05))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


plots.show(
    lambda figure: draw_accuracy(figure, [("one vector", one_vector_right, plots.ORANGE)]),
    alt="Exact matches of the encoder–decoder without attention against source length: most single dates are right, whatever their "
    "length; nearly all periods are wrong",
    width=7,
    height=2.8,
)

# %% [markdown]
# Your figure shows one training run; numbers in the text are means, here over {measured:one_vector.seeds}. Of single dates
# {measured:one_vector.single:.0%} are right ({measured:one_vector.single.range:.0%} in single runs), long ones nearly as well as short; of periods
# {measured:one_vector.period:.0%}. What goes wrong:


# %% tags=["experiment"]
def show_mistakes():
    for pair in test_pairs[N_TEST : N_TEST + 4]:
        (written,) = seq2seq.translate(one_vector, [pair.source])
        marks = "".join(" " if a == b else "^" for a, b in zip(written.ljust(len(pair.target)), pair.target))
        print(f"source   {pair.source}\nwritten  {written}\nright    {pair.target}\n         {marks}\n")


attempt(show_mistakes)

# %% [markdown]
# The form is right; what is lost is *which* digits. (Is the vector too small? Section 6 tests it.) They stand in the source, so let the
# decoder look there.

# %% [markdown]
# ## 2 · A vector of importance weights over the source
#
# Keep **all** encoder states, and give every output position $t$ a context vector of its own (Bahdanau, Cho and Bengio 2015):
#
# $$\mathbf{c}_t = \sum_{i=1}^n \alpha_{t,i}\, \mathbf{h}_i \qquad\qquad
# \alpha_{t,i} = \text{align}(y_t, x_i) = \frac{\exp(\text{score}(\mathbf{s}_{t-1}, \mathbf{h}_i))}{\sum_{i'=1}^n
# \exp(\text{score}(\mathbf{s}_{t-1}, \mathbf{h}_{i'}))}$$
#
# The score says how well the decoder's state and source position $i$ fit; the softmax turns scores into positive weights that
# sum to 1, the lecture's *importance weights over an input sequence*. Shapes: scores and weights $(\dots, n)$, states
# $(\dots, n, d_h)$, context $(\dots, d_h)$.
#
# *Worked number.* Scores $(2, 1, 0)$: the exponentials are $7.39$, $2.72$ and $1$, their sum is $11.11$, the weights are
# $(0.665, 0.245, 0.090)$.
#
# Two things go wrong in practice.
#
# - **Large scores.** $e^{1000}$ is `inf` and $\text{inf}/\text{inf}$ is NaN. Subtracting one number from all scores of a row changes no
#   weight (why?), so choose one that keeps all exponentials in $(0, 1]$ and at least one of them at 1.
# - **Padding.** The shorter sources of a batch are filled up. A position where the mask is `False` gets weight 0, and the others sum
#   to 1. A row in which nothing is allowed gets all zeros, never NaN.

# %% [markdown]
# ### Exercise 1 · `alignment_weights` (●●○, 12 minutes, 3 points)
# Without PyTorch's softmax: it is the answer. What contains one counts as well: `log_softmax`, attention, losses such as `cross_entropy` and
# `kl_div`, and differentiation, since the gradient of `logsumexp` is a softmax.
#
# <details><summary>Hint 1</summary>
#
# The number to subtract is the largest score of the row (`amax` with `keepdim=True`). Of which positions? Think of a row whose largest
# score stands at a masked position.
#
# </details>
# <details><summary>Hint 2</summary>
#
# $e^{-\infty} = 0$. So a masked score may become $-\infty$, as long as you never compute $-\infty - (-\infty)$.
#
# </details>
# <details><summary>Hint 3</summary>
#
# In a row in which nothing is allowed the largest score is $-\infty$ and the sum of the exponentials is 0. Both may be replaced, in
# those rows alone, by a number that does no harm.
#
# </details>


# %% exercise="alignment_weights" forbids="softmax"
def alignment_weights(
    scores: Float[Tensor, "*batch n"], mask: Bool[Tensor, "*batch n"] | None = None
) -> Float[Tensor, "*batch n"]:
    """Softmax over the source, safe for scores of any size; weight 0 where `mask` is
    False, all zeros where it allows nothing.
    """
    ### BEGIN SOLUTION
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    largest = scores.amax(dim=-1, keepdim=True)
    # -inf only where nothing is allowed; -inf - (-inf) would be NaN
    exponentials = torch.exp(scores - largest.masked_fill(largest == -math.inf, 0.0))
    total = exponentials.sum(dim=-1, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1.0)
    ### END SOLUTION


# %% check="alignment_weights" points=3
check(alignment_weights)


# %% tags=["figure"]
def draw_temperature(figure):
    scores = torch.tensor([2.0, 1.0, 0.0, -1.0])
    cases = [
        ("scores 2, 1, 0, −1", scores, None),
        ("ten times as large", 10 * scores, None),
        ("the first one masked", scores, torch.arange(4) > 0),
    ]
    for ax, (name, row, mask) in zip(figure.subplots(1, 3, sharey=True), cases):
        bars = ax.bar(["h₁", "h₂", "h₃", "h₄"], alignment_weights(row, mask).tolist(), color=plots.BLUE, width=0.65)
        ax.bar_label(bars, fmt="%.2f")
        ax.set(title=name, ylim=(0, 1.12))
    figure.axes[0].set_ylabel("weight")


plots.show(
    draw_temperature,
    alt="Weights of four scores 2, 1, 0, −1 as bars: 0.64, 0.24, 0.09, 0.03; of scores ten times as large: 1, 0, 0, 0; with the "
    "first masked: 0, 0.67, 0.24, 0.09",
    width=7,
    height=2.3,
)

# %% [markdown]
# Large scores make a hard choice, small ones an average. Remember these pictures: they will explain why one of the score functions below
# never makes a hard choice, and why another one is divided by a root.
#
# ### Exercise 2 · `context_vector` (●○○, 5 minutes, 1 point)
# *Worked number.* Weights $(0.665, 0.245, 0.090)$ and states $(1, 0)$, $(0, 1)$, $(4, 4)$ give
# $\mathbf{c} = (0.665 + 0.360,\; 0.245 + 0.360) = (1.025, 0.605)$.
#
# <details><summary>Hint 1</summary>
#
# Every state is multiplied by one number, its weight: give the weights a last dimension of size 1. Which dimension is then summed over?
#
# </details>


# %% exercise="context_vector"
def context_vector(
    weights: Float[Tensor, "*batch n"], h: Float[Tensor, "*batch n d_h"]
) -> Float[Tensor, "*batch d_h"]:
    """c = Σᵢ αᵢ hᵢ (Bahdanau et al. 2015, equation 5)."""
    ### BEGIN SOLUTION
    return (weights[..., None] * h).sum(dim=-2)
    ### END SOLUTION


# %% check="context_vector" points=1
check(context_vector)

# %% [markdown]
# ### Older than networks: weighted neighbours
# An average whose weights are decided by a comparison estimates a curve from noisy points (Nadaraya 1964; Watson 1964): the value at $x$
# is the average of all values $y_i$, and points whose place $x_i$ is near $x$ weigh more. With the score
# $-(x - x_i)^2 / 2w^2$ this is a softmax and a weighted sum, so your two functions can do it. $x$ asks, the places are compared with it,
# the values are averaged: what is compared and what is averaged are two different things here, as they will be in lesson 03.


# %%
def smooth(x, places, values, width):
    """At each of `x (m,)` the average of `values (n,)`, in which nearer `places (n,)` weigh more."""
    scores = -((x[:, None] - places) ** 2) / (2 * width**2)
    return context_vector(alignment_weights(scores), values[:, None].expand(len(x), -1, -1)).squeeze(-1)


def noisy_points(seed=0, n=40):
    """Places in [0, 2π], and their sines with noise of standard deviation 0.3."""
    generator = torch.Generator().manual_seed(seed)
    places = (2 * math.pi * torch.rand(n, generator=generator)).sort().values
    return places, places.sin() + 0.3 * torch.randn(n, generator=generator)


# %% tags=["figure"]
def draw_neighbours(figure):
    places, values = noisy_points()
    x = torch.linspace(0, 2 * math.pi, 200)
    for ax, width in zip(figure.subplots(1, 3, sharey=True), (0.02, 0.4, 5.0)):
        ax.scatter(places, values, s=9, color=plots.GREY)
        ax.plot(x, x.sin(), ":", color=plots.ORANGE, label="the curve")
        ax.plot(x, smooth(x, places, values, width), color=plots.BLUE, label="weighted neighbours")
        ax.set(title=f"w = {width:g}", xlabel="x")
    figure.legend(*figure.axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=2)


plots.show(
    draw_neighbours,
    alt="Forty noisy points of a sine and three estimates: with w = 0.02 a line that jumps from point to point, with 0.4 one close to the "
    "sine, with 5 nearly a constant",
    width=7,
    height=2.3,
)

# %% [markdown]
# A small $w$ makes large scores and a hard choice: the nearest point alone, its noise included. A large $w$ makes scores near 0: nearly the
# mean of all points, whatever $x$ is. In between, the estimate is closest to the curve. In the score functions below nobody chooses $w$: the
# comparison itself is learned.

# %% [markdown]
# ## 3 · Six ways to score
#
# How well do $\mathbf{s}$ and $\mathbf{h}_i$ fit? Before Vaswani et al. (2017) made one answer the standard, there were several. This
# is the lecture's table:
#
# | Name | $\text{score}(\mathbf{s}, \mathbf{h}_i)$ | learned | Citation |
# | --- | --- | --- | --- |
# | content-based | $\text{cosine}[\mathbf{s}, \mathbf{h}_i]$ | – | Graves et al. 2014 |
# | additive | $\mathbf{v}_a^\top \tanh(\mathbf{W}_a [\mathbf{s}; \mathbf{h}_i])$ | $\mathbf{W}_a$, $\mathbf{v}_a$ | Bahdanau et al. 2015 |
# | location-based | $(\mathbf{W}_a \mathbf{s})_i$ | $\mathbf{W}_a$ | Luong et al. 2015 |
# | general | $\mathbf{s}^\top \mathbf{W}_a \mathbf{h}_i$ | $\mathbf{W}_a$ | Luong et al. 2015 |
# | dot product | $\mathbf{s}^\top \mathbf{h}_i$ | – | Luong et al. 2015 |
# | scaled dot product | $\mathbf{s}^\top \mathbf{h}_i / \sqrt{d_h}$ | – | Vaswani et al. 2017 |
#
# (Bahdanau's decoder asks with its previous state $\mathbf{s}_{t-1}$, Luong's with its current one, $\mathbf{s}_t$. To the function it
# is just $\mathbf{s}$.)
#
# All six take `s (..., d_s)` and, but for one, `h (..., n, d_h)`, and give scores `(..., n)`. Matrices multiply from the left, as in
# the papers: $\mathbf{W}_a$ is `(d_a, d_s + d_h)` for the additive score (with $\mathbf{v}_a$ `(d_a,)`), `(n, d_s)` for the location-based
# and `(d_s, d_h)` for the general one.

# %% [markdown]
# ### Exercise 3 · `content_based_score` (●●○, 8 minutes, 1.5 points)
# The cosine of the angle between two vectors, $\mathbf{s}^\top \mathbf{h}_i / (\lVert \mathbf{s} \rVert \lVert \mathbf{h}_i \rVert)$:
# it knows directions, not lengths. A zero vector has no direction; here its score is 0, and its gradient is finite.
#
# *Worked number.* $\mathbf{s} = (3, 4)$ against $(6, 8)$, $(4, -3)$ and $(0.3, 0.4)$: cosines $1$, $0$ and $1$. The first and third
# differ twentyfold in length, and the cosine does not see it.
#
# <details><summary>Hint 1</summary>
#
# `s[..., None, :]` has the shape `(..., 1, d)`, and broadcasting compares it with every state at once.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The cosine is the dot product of two vectors of length 1. Which number can the length of a zero vector be replaced by, so that the
# vector stays 0 and nothing becomes NaN, not even a gradient?
#
# </details>


# %% exercise="content_based_score"
def content_based_score(
    s: Float[Tensor, "*batch d"], h: Float[Tensor, "*batch n d"]
) -> Float[Tensor, "*batch n"]:
    """The cosine between s and each hᵢ (Graves et al. 2014, equation 6); 0 where either
    is a zero vector.
    """
    ### BEGIN SOLUTION

    def unit(x: Tensor) -> Tensor:
        """x at length 1.

        It is scaled by its largest number first, so that no square over- or underflows;
        the result does not depend on it.
        """
        largest = x.detach().abs().amax(dim=-1, keepdim=True)
        scaled = x / largest.masked_fill(largest == 0, 1.0)
        # it is at least 1, but for a zero vector
        return scaled / scaled.norm(dim=-1, keepdim=True).clamp(min=1.0)

    return (unit(s)[..., None, :] * unit(h)).sum(dim=-1)
    ### END SOLUTION


# %% check="content_based_score" points=1.5
check(content_based_score)

# %% [markdown]
# ### Exercise 4 · `additive_score` (●●○, 12 minutes, 2.5 points)
# A small neural network looks at both states together: $[\mathbf{s}; \mathbf{h}_i]$ is one vector, $\mathbf{s}$ first, of length
# $d_s + d_h$.
#
# *Worked number.* $\mathbf{s} = (1)$, $\mathbf{h}_i = (2)$, $\mathbf{W}_a = \begin{pmatrix} 1 & -1 \\ 0.5 & 0.5 \end{pmatrix}$,
# $\mathbf{v}_a = (2, 1)$: $\;2 \tanh(-1) + \tanh(1.5) = -1.523 + 0.905 = -0.618$.
#
# <details><summary>Hint 1</summary>
#
# `torch.cat` needs two tensors that agree in all dimensions but the last, and `s` has no source dimension yet. `expand` repeats without
# copying.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Or never build $[\mathbf{s}; \mathbf{h}_i]$: $\mathbf{W}_a$ has columns that meet $\mathbf{s}$ and columns that meet $\mathbf{h}_i$,
# and the product is a sum of two.
#
# </details>


# %% exercise="additive_score"
def additive_score(
    s: Float[Tensor, "*batch d_s"],
    h: Float[Tensor, "*batch n d_h"],
    w_a: Float[Tensor, "d_a d_both"],
    v_a: Float[Tensor, "d_a"],
) -> Float[Tensor, "*batch n"]:
    """v_aᵀ tanh(W_a [s; hᵢ]); `d_both` is d_s + d_h (Bahdanau et al. 2015,
    appendix A.1.2).
    """
    ### BEGIN SOLUTION
    d_s = s.shape[-1]
    from_s = s @ w_a[:, :d_s].mT  # (..., d_a): the same for every source position
    from_h = h @ w_a[:, d_s:].mT  # (..., n, d_a)
    return torch.tanh(from_s[..., None, :] + from_h) @ v_a
    ### END SOLUTION


# %% check="additive_score" points=2.5
check(additive_score)

# %% [markdown]
# ### Exercise 5 · `location_score` (●○○, 4 minutes, 1 point)
# This score does not depend on the source's states at all. A row of $\mathbf{W}_a$ belongs to a *position*, so the decoder can only say "now the
# third character", whatever stands there, and $n$ is fixed.
#
# *Worked number.* $\mathbf{s} = (1, 2)$ and the rows $(1, 0)$, $(0, 1)$, $(1, 1)$ give the scores $1$, $2$ and $3$.


# %% exercise="location_score"
def location_score(
    s: Float[Tensor, "*batch d_s"], w_a: Float[Tensor, "n d_s"]
) -> Float[Tensor, "*batch n"]:
    """W_a s, a score for every position (Luong et al. 2015, equation 8)."""
    ### BEGIN SOLUTION
    return s @ w_a.mT
    ### END SOLUTION


# %% check="location_score" points=1
check(location_score)

# %% [markdown]
# ### Exercise 6 · `general_score` (●●○, 8 minutes, 1.5 points)
# A learned matrix between the two states. They need not live in the same space, nor be equally long: $\mathbf{W}_a$ is `(d_s, d_h)`.
#
# *Worked number.* $\mathbf{s} = (1, 2)$, $\mathbf{W}_a = \begin{pmatrix} 1 & 0 & 3 \\ 0 & 1 & -1 \end{pmatrix}$:
# $\;\mathbf{s}^\top \mathbf{W}_a = (1, 2, 1)$. The decoder's state has become a question in the encoder's language, and
# $\mathbf{h}_i = (2, 0, 1)$ answers it with $2 + 0 + 1 = 3$.
#
# <details><summary>Hint 1</summary>
#
# First move $\mathbf{s}$ into the encoder's space, a vector of $d_h$ numbers. What is left then is the next exercise.
#
# </details>


# %% exercise="general_score"
def general_score(
    s: Float[Tensor, "*batch d_s"],
    h: Float[Tensor, "*batch n d_h"],
    w_a: Float[Tensor, "d_s d_h"],
) -> Float[Tensor, "*batch n"]:
    """sᵀ W_a hᵢ (Luong et al. 2015, §3.1)."""
    ### BEGIN SOLUTION
    return torch.einsum("...s,sd,...nd->...n", s, w_a, h)
    ### END SOLUTION


# %% check="general_score" points=1.5
check(general_score)

# %% [markdown]
# ### Exercise 7 · `dot_score` (●○○, 4 minutes, 1 point)
# The cheapest: nothing is learned here, so encoder and decoder must learn to speak one language.
#
# *Worked number.* $\mathbf{s} = (3, 4)$ against $(6, 8)$, $(4, -3)$ and $(0.3, 0.4)$: $50$, $0$ and $2.5$. Lengths matter now: compare
# with exercise 3.


# %% exercise="dot_score"
def dot_score(
    s: Float[Tensor, "*batch d"], h: Float[Tensor, "*batch n d"]
) -> Float[Tensor, "*batch n"]:
    """sᵀ hᵢ (Luong et al. 2015, §3.1)."""
    ### BEGIN SOLUTION
    return (s[..., None, :] * h).sum(dim=-1)
    ### END SOLUTION


# %% check="dot_score" points=1
check(dot_score)

# %% [markdown]
# ### Exercise 8 · `scaled_dot_score` (●○○, 3 minutes, 1 point)
# A dot product of $d$ numbers of typical size 1 has typical size $\sqrt{d}$; long vectors give large scores, and large scores a hard
# choice (your middle picture above), from which little can be learned: a weight of nearly 1 hardly changes with its score.
# Vaswani et al. (2017) divide by the root of the source states' dimension. Lesson 03 is about this one.
#
# *Worked number.* The scores $50$, $0$ and $2.5$ of exercise 7 become $35.4$, $0$ and $1.77$.


# %% exercise="scaled_dot_score"
def scaled_dot_score(
    s: Float[Tensor, "*batch d"], h: Float[Tensor, "*batch n d"]
) -> Float[Tensor, "*batch n"]:
    """sᵀ hᵢ / √d, with d the dimension of the source states (Vaswani et al. 2017,
    §3.2.1).
    """
    ### BEGIN SOLUTION
    return (s[..., None, :] * h).sum(dim=-1) / math.sqrt(h.shape[-1])
    ### END SOLUTION


# %% check="scaled_dot_score" points=1
check(scaled_dot_score)

# %% [markdown]
# ### The table, drawn
# One sentence pair, six functions. Nothing is trained: the vectors are written by hand, so that you know what each function is given.
# Each word has a number for each of five
# meanings; content words (*water*) have longer vectors than function words (*the*). A target word also has an entry for its position in
# the output, and a constant 1.
# Note the order: *cold water* is *eau froide*.

# %%
SOURCE = ["the", "cat", "drinks", "cold", "water"]
TARGET = ["le", "chat", "boit", "de l'", "eau", "froide"]
MEANINGS = [("the", 1.2), ("cat", 2.0), ("drinks", 2.0), ("cold", 1.6), ("water", 2.4)]


def source_states():
    """h (5, 7): the meaning of each word, no position, the constant."""
    meaning = torch.diag(torch.tensor([length for _, length in MEANINGS]))
    meaning[3, 4] = meaning[4, 3] = 0.5  # cold and water have to do with each other
    return torch.cat([meaning, torch.zeros(5, 1), torch.ones(5, 1)], dim=1)


def target_states():
    """s (6, 7): what is to be said next, the output position, the constant."""
    wanted = [{0: 2.0, 1: 0.3}, {1: 2.0}, {2: 2.0}, {0: 1.2, 4: 0.8}, {4: 2.0}, {3: 2.0}]
    meaning = torch.zeros(6, 5)
    for t, word in enumerate(wanted):
        for concept, amount in word.items():
            meaning[t, concept] = amount
    position = torch.linspace(0, 4, 6)[:, None]
    return torch.cat([meaning, position, torch.ones(6, 1)], dim=1)


def additive_rules():
    """W_a (5, 14), v_a (5,): hidden unit k is positive only if both words carry meaning k."""
    w_a = torch.zeros(5, 14)
    for k in range(5):
        w_a[k, k], w_a[k, 7 + k], w_a[k, 6] = 2.0, 2.0, -5.8
    return w_a, torch.full((5,), 2.5)


def score_table():
    """For each row of the table: scores (6, 5) of every target word for every source word."""
    s, h = target_states(), source_states().expand(6, 5, 7)
    place = torch.arange(5.0)
    diagonal = torch.stack([2 * place, -(place**2)], dim=1)  # 2it − i²: highest at position i = t
    meanings = torch.diag(torch.tensor([2.0] * 5 + [0.0, 0.0]))
    return {
        "content-based": lambda: content_based_score(s, h),
        "additive": lambda: additive_score(s, h, *additive_rules()),
        "location-based": lambda: location_score(s, torch.cat([torch.zeros(5, 5), diagonal], dim=1)),
        "general": lambda: general_score(s, h, meanings),
        "dot product": lambda: dot_score(s, h),
        "scaled dot product": lambda: scaled_dot_score(s, h),
    }


# %% tags=["figure"]
def draw_table(figure):
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    for ax, (name, score) in zip(axes.flat, score_table().items()):
        plots.heatmap(ax, alignment_weights(score()), TARGET, SOURCE, annotate=True, vmin=0, vmax=1)
        ax.set_title(name)


plots.show(
    draw_table,
    alt="Six heat maps of weights, French words against English words. The cosine's are nearly even; additive, general and dot "
    "product find each word's counterpart, with cold water and eau froide crossed; the location-based ones follow the diagonal "
    "and miss the crossing",
    width=7.4,
    height=4.6,
)

# %% [markdown]
# Read it row by row.
# - **Content-based.** A cosine lies in $[-1, 1]$, so no weight can be more than $e^2 \approx 7.4$ times another
#   (here at most {measured:table.ratio:.1f} times): the map is nearly even.
#   Graves et al. (2014) therefore multiply it by a *key strength* $\beta$ that the network sets itself.
# - **Location-based.** It follows the output's position down the diagonal and translates *eau froide* in the wrong order. On
#   `24.9.1987` and `9 Eylül 1987` it would look at the same places.
# - **Dot product** against **scaled**: the same picture, sharper and softer. Does the root matter for training? In section 7 you will
#   see that with 48 numbers it does not; how it matters as vectors grow is a subject of lesson 03.
# - **General** and **additive** could be taught any correspondence; here we wrote a plain one into their matrices.

# %% [markdown]
# ## 4 · Global and local
#
# For every output the decoder weighs the *whole* source: $n$ scores for each of $m$ outputs. Luong et al. (2015) call this **global**
# attention and propose a **local** one: predict *where* to look, a
# position $p_t$, and weigh only the states in a window around it. Their *local-p* predicts the position from the decoder's state,
#
# $$p_t = \text{length} \cdot \sigma(\mathbf{v}_p^\top \tanh(\mathbf{W}_p \mathbf{s}_t)), \qquad \sigma(x) = \frac{1}{1 + e^{-x}},$$
#
# a real number in $[0, \text{length}]$, where each source of a batch has its own length. $\mathbf{W}_p$ is `(d_p, d_s)`, $\mathbf{v}_p$
# is `(d_p,)`.
#
# *Worked number.* $\mathbf{v}_p^\top \tanh(\mathbf{W}_p \mathbf{s}_t) = 0.4$ and a source of 20 characters: $p_t = 20 \cdot 0.599 = 11.97$.

# %% [markdown]
# ### Exercise 9 · `predict_position` (●●○, 8 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# Everything inside the sigmoid is one number for each decoder state. Check its shape before you multiply: `(...)`, the same as `lengths`.
#
# </details>


# %% exercise="predict_position"
def predict_position(
    s: Float[Tensor, "*batch d_s"],
    w_p: Float[Tensor, "d_p d_s"],
    v_p: Float[Tensor, "d_p"],
    lengths: Int[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    """Where to look: length · sigmoid(v_pᵀ tanh(W_p s)) (Luong et al. 2015,
    equation 9).
    """
    ### BEGIN SOLUTION
    return lengths * torch.sigmoid(torch.tanh(s @ w_p.mT) @ v_p)
    ### END SOLUTION


# %% check="predict_position" points=2
check(predict_position)

# %% [markdown]
# Around $p_t$ lies the window of positions $i$ (counted from 0) with $p_t - D \le i \le p_t + D$, both ends included; $D$ is called
# `half_width`. Inside it, a softmax over the window alone; on top of it, a Gaussian that
# prefers the middle:
#
# $$\alpha_{t,i} = \text{align}(\mathbf{s}_t, \mathbf{h}_i)\, \exp\!\left(-\frac{(i - p_t)^2}{2 \sigma^2}\right), \qquad \sigma =
# \frac{D}{2}, \qquad \alpha_{t,i} = 0 \text{ outside the window}$$
#
# Two details of the paper: the product is *not* normalised again, so the weights sum to at most 1, and mostly to less; and a hard window cannot be
# differentiated in $p_t$, but the Gaussian can: it is how the network learns where to look.
#
# *Worked number.* Equal scores, $D = 2$, $p_t = 3$: the window holds 1 to 5, a fifth each; $\sigma = 1$. The weights are
# $0.2 \cdot (0.135, 0.607, 1, 0.607, 0.135) = (0.027, 0.121, 0.2, 0.121, 0.027)$.

# %% [markdown]
# ### Exercise 10 · `local_attention_weights` (●●●, 18 minutes, 3.5 points)
# A `half_width` that is not positive is a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# Make the positions $0 \dots n - 1$ as a tensor on the right device and of the right dtype; their distances to `position[..., None]`
# have the shape `(..., n)`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# A window is a mask. You have a function that takes a mask.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Two masks hold together where both are `True`. The Gaussian comes last, and needs no mask of its own: what does 0 times anything
# finite give?
#
# </details>


# %% exercise="local_attention_weights"
def local_attention_weights(
    scores: Float[Tensor, "*batch n"],
    position: Float[Tensor, "*batch"],
    half_width: int,
    mask: Bool[Tensor, "*batch n"] | None = None,
) -> Float[Tensor, "*batch n"]:
    """Softmax within [position − D, position + D], times a Gaussian with σ = D/2
    (Luong et al. 2015, equation 10); zero outside.

    Raises ValueError for a `half_width` that is not positive: σ would be 0.
    """
    ### BEGIN SOLUTION
    if half_width <= 0:
        raise ValueError(f"half_width must be positive, not {half_width}")
    places = torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    distance = places - position[..., None]
    window = distance.abs() <= half_width
    if mask is not None:
        window = window & mask
    sigma = half_width / 2
    return alignment_weights(scores, window) * torch.exp(
        -(distance**2) / (2 * sigma**2)
    )
    ### END SOLUTION


# %% check="local_attention_weights" points=3.5
check(local_attention_weights)


# %% tags=["figure"]
def draw_window(figure):
    n, p, half_width = 21, 11.97, 5
    scores = torch.randn(n, generator=torch.Generator().manual_seed(5)) * 1.2
    everywhere = alignment_weights(scores)
    nearby = local_attention_weights(scores, torch.tensor(p), half_width)
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.bar(range(n), everywhere.tolist(), color=plots.GREY, width=0.7)
    top.set(title="global: a softmax over all positions", ylabel="weight")
    bottom.axvspan(p - half_width, p + half_width, color=plots.SKY, alpha=0.18, linewidth=0, label=f"window, D = {half_width}")
    alone = alignment_weights(scores, (torch.arange(n) - p).abs() <= half_width)
    bottom.bar(range(n), alone.tolist(), color=plots.GREY, alpha=0.5, width=0.7, label="softmax in the window")
    bottom.bar(range(n), nearby.tolist(), color=plots.BLUE, width=0.7, label="times the Gaussian")
    gaussian = bottom.twinx()
    curve = torch.linspace(p - half_width, p + half_width, 101)
    gaussian.plot(curve, torch.exp(-((curve - p) ** 2) / (2 * (half_width / 2) ** 2)), color=plots.ORANGE)
    gaussian.set_ylabel("Gaussian, σ = D/2", color=plots.ORANGE)
    gaussian.set(ylim=(0, 1.05))
    gaussian.grid(False)
    bottom.axvline(p, color=plots.RED, linewidth=1.2, linestyle=":", label=f"p = {p}")
    bottom.set(
        title=f"local: softmax in the window, times the Gaussian (sum {float(nearby.sum()):.2f})",
        ylabel="weight",
        xlabel="source position i",
        xticks=range(0, n, 2),
    )
    bottom.legend(loc="upper left", fontsize=8)


plots.show(
    draw_window,
    alt="Above: global weights over 21 positions. Below: a softmax of the same scores inside a shaded window of five to each side of "
    "position 11.97, and what is left of it after multiplication by a Gaussian, which is drawn on an axis of its own",
    width=7,
    height=4,
)

# %% [markdown]
# ## 5 · Into the network
#
# A network owns what it learns. `AdditiveAttention` holds $\mathbf{W}_a$ and $\mathbf{v}_a$ as parameters; the decoder's cell holds the
# attention and a GRU. One step of Bahdanau's decoder, in this order:
#
# $$\boldsymbol{\alpha}_t = \text{align}(\mathbf{s}_{t-1}, \mathbf{h}), \qquad \mathbf{c}_t = \sum_i \alpha_{t,i} \mathbf{h}_i, \qquad
# \mathbf{s}_t = \text{GRU}([\mathbf{e}_t; \mathbf{c}_t],\; \mathbf{s}_{t-1})$$
#
# where $\mathbf{e}_t$ is the embedding of the character written last. The decoder looks *before* it moves: the question is asked by the
# old state.

# %% [markdown]
# ### Exercise 11 · `AdditiveAttention` (●●○, 12 minutes, 2.5 points)
# Parameters `w_a` `(d_a, d_s + d_h)` and `v_a` `(d_a,)`, of type `nn.Parameter`, and nothing else. Initialise both;
# start `w_a` with small random numbers: rows that are equal, and have equal numbers in `v_a`, would stay equal for ever.
#
# <details><summary>Hint 1</summary>
#
# `torch.empty(shape)` holds whatever lay in memory. `nn.init.xavier_uniform_` fills a matrix with random numbers of a good size; for a
# vector there is `nn.init.normal_` or `nn.init.uniform_`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `forward` needs three of your functions, one after the other. Only one of them is given the mask.
#
# </details>


# %% exercise="AdditiveAttention"
class AdditiveAttention(nn.Module):
    """Additive attention with its learned `w_a` (d_a, d_s + d_h) and `v_a` (d_a,)
    (Bahdanau et al. 2015).
    """

    def __init__(self, d_s: int, d_h: int, d_a: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.w_a = nn.Parameter(torch.empty(d_a, d_s + d_h))
        self.v_a = nn.Parameter(torch.empty(d_a))
        nn.init.xavier_uniform_(self.w_a)
        nn.init.normal_(self.v_a, std=d_a**-0.5)
        ### END SOLUTION

    def forward(
        self,
        s: Float[Tensor, "*batch d_s"],
        h: Float[Tensor, "*batch n d_h"],
        mask: Bool[Tensor, "*batch n"] | None = None,
    ) -> tuple[Float[Tensor, "*batch d_h"], Float[Tensor, "*batch n"]]:
        """The context vector, and the weights that made it."""
        ### BEGIN SOLUTION
        weights = alignment_weights(additive_score(s, h, self.w_a, self.v_a), mask)
        return context_vector(weights, h), weights
        ### END SOLUTION


# %% check="AdditiveAttention" points=2.5
check(AdditiveAttention)

# %% [markdown]
# ### Exercise 12 · `AttentionDecoderCell` (●●○, 15 minutes, 3.5 points)
# Submodules `attention` (your `AdditiveAttention`) and `rnn` (`nn.GRUCell`), and nothing else. Which widths? The attention compares the
# decoder's state (`d_hidden`) with source states (`d_source`); the GRU reads an
# embedding and a context side by side, the embedding first.
#
# <details><summary>Hint 1</summary>
#
# A context is a mixture of source states, so it is as wide as they are.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `self.rnn(input, state)` gives the new state. Draw the three formulas above as three lines of code; check in each which state stands
# in it.
#
# </details>


# %% exercise="AttentionDecoderCell"
class AttentionDecoderCell(nn.Module):
    """One step of a decoder that looks back: submodules `attention` and `rnn`
    (Bahdanau et al. 2015, §3.1).
    """

    def __init__(self, d_embed: int, d_hidden: int, d_source: int, d_a: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.attention = AdditiveAttention(d_hidden, d_source, d_a)
        self.rnn = nn.GRUCell(d_embed + d_source, d_hidden)
        ### END SOLUTION

    def forward(
        self,
        embedding: Float[Tensor, "*batch d_embed"],
        state: Float[Tensor, "*batch d_hidden"],
        h: Float[Tensor, "*batch n d_source"],
        mask: Bool[Tensor, "*batch n"] | None = None,
    ) -> tuple[Float[Tensor, "*batch d_hidden"], Float[Tensor, "*batch n"]]:
        """The new state, and where the old one looked."""
        ### BEGIN SOLUTION
        context, weights = self.attention(state, h, mask)
        return self.rnn(torch.cat([embedding, context], dim=-1), state), weights
        ### END SOLUTION


# %% check="AttentionDecoderCell" points=3.5
check(AttentionDecoderCell)

# %% [markdown]
# ## 6 · The same dates, looking back
#
# Now the experiment of section 1 again: the same encoder, the same data, the same sizes, and your cell in the decoder. Trained on batches
# of 32 instead of 64 and for fewer steps, it sees about a quarter of the examples that the model without attention was shown.


# %%
def train_looking(train, seed=0, steps=600):
    """The encoder–decoder with your cell."""
    model = seq2seq.seeded(seed, lambda: seq2seq.LookingReader(AttentionDecoderCell(64, 64, 64, 64)))
    seq2seq.train(model, train, steps, torch.Generator().manual_seed(seed), label="looking back")
    return model


# %% tags=["experiment"]
looking = attempt(train_looking, train_pairs)  # about half a minute
looking_right = attempt(seq2seq.exact_matches, looking, test_pairs)

# %% tags=["figure"]
plots.show(
    lambda figure: draw_accuracy(figure, [("looking back", looking_right, plots.BLUE), ("one vector", one_vector_right, plots.ORANGE)]),
    alt="Exact matches against source length: with attention near one everywhere; without it high for single dates, near zero for "
    "periods of two",
    width=7,
    height=2.8,
)

# %% [markdown]
# The same comparison over {measured:one_vector.seeds} training runs of the first row and {measured:looking.seeds} of each other one: means, and the
# least and the largest. Another run can have less, one that looks back, too.
#
# | model | examples seen | single dates right | periods right |
# | --- | --- | --- | --- |
# | one vector | {measured:one_vector.budget.examples:,} | {measured:one_vector.single:.2f} ({measured:one_vector.single.range:.2f}) | {measured:one_vector.period:.2f} ({measured:one_vector.period.range:.2f}) |
# | one vector, trained three times as long | {measured:longer.budget.examples:,} | {measured:longer.single:.2f} ({measured:longer.single.range:.2f}) | {measured:longer.period:.2f} ({measured:longer.period.range:.2f}) |
# | looking back | {measured:looking.budget.examples:,} | {measured:looking.single:.2f} ({measured:looking.single.range:.2f}) | {measured:looking.period:.2f} ({measured:looking.period.range:.2f}) |
#
# **Was the vector too small?** That is the first explanation that comes to mind, and it can be tested: if 64 numbers cannot hold two
# dates, more training will not help. The second row is the same model, trained three times as long: {measured:longer.period:.0%} of the
# periods are right on average, and in every run many times as many as before. So two dates can be held in 64 numbers. What the vector makes hard is *learning* to hold them: each digit of the
# source has to pass the whole recurrence and one vector, and the training signal has to pass them on its way back.
#
# With attention there is one state for each character of the source, and nothing has to be squeezed into a fixed number of numbers.
# The gain that you can measure here is in *learning*: a small part of the examples is enough.

# %% [markdown]
# ### Where did it look?
# Nobody told the network that *setembro* is 09, nor that the month has to be looked for there. Here are its weights while it writes
# each character of the ISO date, before and after training.


# %%
WEDNESDAY = dates.make_pair([dates.day(1987, 9, 24)], "pt", "full")
PERIOD = dates.make_pair([dates.day(1987, 9, 24), dates.day(1991, 3, 12)], "de", "long")


# %% tags=["figure"]
def draw_alignment(figure, pair, models):
    for ax, (name, model) in zip(figure.subplots(len(models), 1, squeeze=False).flat, models):
        plots.heatmap(ax, seq2seq.look(model, pair), list(pair.target), list(pair.source), label="weight", vmin=0, vmax=1)
        ax.set(title=name, ylabel="written")
    ax.set_xlabel("source, read character by character")


def draw_before_and_after(figure):
    untrained = seq2seq.seeded(0, lambda: seq2seq.LookingReader(AttentionDecoderCell(64, 64, 64, 64)))
    draw_alignment(figure, WEDNESDAY, [("untrained", untrained), ("trained", looking)])


plots.show(
    draw_before_and_after,
    alt="Two heat maps, the characters of 1987-09-24 against those of quinta-feira, 24 de setembro de 1987. Untrained: all cells much alike. "
    "Trained: the year's digits look at 1987 at the end, the month's around setembro, the day's at 24",
    width=7.4,
    height=5.2,
)

# %% tags=["figure"]
plots.show(
    lambda figure: draw_alignment(figure, PERIOD, [("a period of two dates", looking)]),
    alt="Heat map for 24. September 1987 – 12. März 1991: the first half of the output looks at the first date, the second half "
    "at the second",
    width=7.4,
    height=4.4,
)

# %% [markdown]
# A row shows where the model looked while it wrote one character. The blocks are *crossed*, since ISO puts the year first and most people
# put it last: a score that sees positions alone has to be told where the year stands, one that sees the content finds it. Over
# {measured:looking.seeds} training runs the year's four digits have {measured:looking.look.year:.0%} of their weight on *1987* (the
# characters next to it included), the month's {measured:looking.look.month:.0%} on *setembro*, the day's {measured:looking.look.day:.0%} on
# *24*. Not every row is a clean pointer, though: the encoder's states have carried information along the source, so a digit may be read off a
# neighbour. Weights show where the model looked, not by themselves why: whether they explain its output was argued over (Jain and Wallace
# 2019; Wiegreffe and Pinter 2019), and question 3 below asks how to find out.

# %% [markdown]
# ## 7 · All six scores, and a local one, on the same task
#
# A smaller model, single dates only, and one training run for each score function. The wiring is Luong's: the current state
# $\mathbf{s}_t$ looks, and what it sees goes straight into the readout.
# The last bar is local-p: `general_score` inside a window with $D = 4$ around a predicted position.


# %%
def score_models():
    """name → (weights of (s, h, mask, learned parameters …), shapes of those parameters); states are 48 wide, d_a = 32."""
    d, longest = 48, 40
    return {
        "content-based": (lambda s, h, mask: alignment_weights(content_based_score(s, h), mask), []),
        "additive": (lambda s, h, mask, w, v: alignment_weights(additive_score(s, h, w, v), mask), [(32, 2 * d), (32,)]),
        "location-based": (lambda s, h, mask, w: alignment_weights(location_score(s, w[: h.shape[-2]]), mask), [(longest, d)]),
        "general": (lambda s, h, mask, w: alignment_weights(general_score(s, h, w), mask), [(d, d)]),
        "dot product": (lambda s, h, mask: alignment_weights(dot_score(s, h), mask), []),
        "scaled dot product": (lambda s, h, mask: alignment_weights(scaled_dot_score(s, h), mask), []),
        "local-p": (
            lambda s, h, mask, w, w_p, v_p: local_attention_weights(
                general_score(s, h, w), predict_position(s, w_p, v_p, mask.sum(-1)), 4, mask
            ),
            [(d, d), (32, d), (32,)],
        ),
    }


SHARPENED = "content-based, times 8"  # cosines from −8 to 8: a key strength β that is set by hand


def train_scored(name, train, seed=0, steps=300):
    """The small model with one of the score functions."""
    sharpened = {SHARPENED: (lambda s, h, mask: alignment_weights(8 * content_based_score(s, h), mask), [])}
    weigh, shapes = (score_models() | sharpened)[name]
    model = seq2seq.seeded(seed, lambda: seq2seq.LuongReader(seq2seq.Learned(weigh, shapes), context_vector))
    seq2seq.train(model, train, steps, torch.Generator().manual_seed(seed), label=name)
    return model


# %% tags=["experiment"]
def compare_scores():
    single, held_out = train_pairs[:N_TRAIN], test_pairs[:N_TEST]
    return {name: float(seq2seq.exact_matches(train_scored(name, single), held_out).double().mean()) for name in score_models()}


accuracy = attempt(compare_scores)


# %% tags=["figure"]
def draw_scores(figure):
    ax = figure.subplots()
    names = list(accuracy)[::-1]
    colors = [plots.ORANGE if name == "local-p" else plots.BLUE for name in names]
    bars = ax.barh(names, [accuracy[name] for name in names], color=colors, height=0.65)
    ax.bar_label(bars, fmt="%.2f", padding=3)
    ax.set(xlabel="exact matches on held-out single dates", xlim=(0, 1.12))


plots.show(
    draw_scores,
    alt="Bars of exact matches of one training run for seven ways to weigh the source: additive, general and the two dot products are "
    "ahead of local-p and location-based; content-based is last by far",
    width=6.4,
    height=2.9,
)

# %% [markdown]
# Your figure shows one training run of each. Over {measured:scores.seeds} runs (means, and the least and the largest):
#
# | score | exact matches |
# | --- | --- |
# | content-based | {measured:scores.content-based:.2f} ({measured:scores.content-based.range:.2f}) |
# | content-based, multiplied by 8 | {measured:scores.content-based,_times_8:.2f} ({measured:scores.content-based,_times_8.range:.2f}) |
# | additive | {measured:scores.additive:.2f} ({measured:scores.additive.range:.2f}) |
# | location-based | {measured:scores.location-based:.2f} ({measured:scores.location-based.range:.2f}) |
# | general | {measured:scores.general:.2f} ({measured:scores.general.range:.2f}) |
# | dot product | {measured:scores.dot_product:.2f} ({measured:scores.dot_product.range:.2f}) |
# | scaled dot product | {measured:scores.scaled_dot_product:.2f} ({measured:scores.scaled_dot_product.range:.2f}) |
# | local-p | {measured:scores.local-p:.2f} ({measured:scores.local-p.range:.2f}) |
# | trained four times as long: content-based | {measured:scores_longer.content-based:.2f} ({measured:scores_longer.content-based.range:.2f}) |
# | trained four times as long: location-based | {measured:scores_longer.location-based:.2f} ({measured:scores_longer.location-based.range:.2f}) |
# | trained four times as long: local-p | {measured:scores_longer.local-p:.2f} ({measured:scores_longer.local-p.range:.2f}) |
#
# The training is short ({measured:scores.budget.steps} steps), so the table tells how fast a model learns, not what it can learn in the end;
# the last rows, with {measured:scores_longer.budget.steps:,} steps, show how different that can be. The ranges of general, dot and scaled
# dot product overlap, so their order means nothing. The large differences have reasons that you have met.
# - **Content-based** comes last on average, and of all but local-p in every run. Is it that directions alone say too little, or that its weights are nearly even, so that its context is
#   nearly a plain average of the source, the same at every step? The same cosines multiplied by 8, a key strength $\beta$ set by hand, are
#   as good as the others: so directions say enough, and what is missing is size. Nearly even weights do not make the task impossible,
#   though: trained four times as long, the plain cosine has {measured:scores_longer.content-based:.0%} of the dates right. They make
#   learning slow.
# - **Location-based** knows of *this* source, where the year begins in it, say, only what the decoder's state carries, which began as a
#   summary of it. After so short a training that is not enough; after the longer one it is, for {measured:scores_longer.location-based:.0%}
#   of these dates.
# - **Additive**, **general** and both **dot products** see what stands in the source. The additive score costs a tanh of $d_a$ numbers
#   for every pair; a dot product is one matrix product for all pairs, and so it is faster and takes less memory (Vaswani et al. 2017, §3.2.1).
# - **Local-p** must learn where to look before it can see anything there, and ISO's order makes its position jump. It depends most on the
#   run, after the longer training, too. Luong et al. (2015) proposed local attention for translation, where weighing all words of a long
#   source is expensive; their other one, *local-m*, takes source and target to run in step, $p_t = t$.

# %% [markdown]
# ## 8 · What attention costs, and what it shows
#
# ### Written question (3 points, 10 minutes)
# Answer in your own words, in about 150 to 250 words, with numbers from your own figures.
#
# 1. A colleague sees the first figure and says: "64 numbers cannot hold two dates." What do the other rows of the table in section 6 say to
#    that? What, then, does attention gain here, and when would a fixed vector really be too small?
# 2. What does looking back cost? Count the scores for a source of $n$ and an output of $m$ characters, for global attention and for a
#    window of half-width $D$. When does it matter?
# 3. A colleague points at your heat map and says: "This proves that the model reads the month's digits off the month's name." What
#    would you do to test this claim?

# %% [markdown] question="one_vector_or_many" points=3
# ### BEGIN SOLUTION
# 1. The same 64 numbers, trained three times as long, get {measured:longer.period:.0%} of the periods right instead of
#    {measured:one_vector.period:.0%}. So they can hold two dates; what failed was the budget. Through one vector every digit, and its
#    training signal, has to pass the whole recurrence. With attention $\mathbf{c}_t$ is made anew for every output and needs only what the
#    *next* character requires; the source itself is the memory. The gain is in examples: {measured:looking.period:.0%} of the periods after
#    {measured:looking.budget.examples:,} examples, where the vector saw {measured:longer.budget.examples:,}. A fixed vector is too small in the
#    end: its numbers and their precision do not grow, and the source does.
# 2. Global attention computes $n \cdot m$ scores and keeps all $n$ states; for a period that is about $45 \cdot 21 = 945$. A
#    window computes at most $(2D + 1) \cdot m$, whatever $n$ is. For dates this does not matter. For
#    documents of $10^5$ tokens that attend to themselves, $n \cdot m = 10^{10}$ does. The window is cheaper, but what lies
#    outside cannot be seen, and the position has to be predicted.
# 3. A weight says which state was mixed in, not what is stored in this state nor whether the output depends on it: the encoder has run
#    over the source in both directions, so other states know the month too. Test by intervention: replace the month's
#    name in the source and see whether exactly the month's digits change; forbid these positions by the mask and see whether accuracy
#    falls, against forbidding as many others; permute the weights and see whether the output stays (Jain and Wallace 2019; but see Wiegreffe and Pinter 2019).
#
# **Rubric** — 1 point: sees from the longer training that capacity is not what failed, and says what attention gains
# (examples, a memory that grows with the source), with numbers. Half a point for a fixed vector against a growing memory without that test.
# 1 point: $nm$ against $(2D+1)m$ (or "linear in the window"), and a case in which it matters or does not. Half a point for one of the two.
# 1 point: says that weights are not by themselves an explanation, and describes an intervention (change, mask or permute) with the
# outcome that would support the claim.
# ### END SOLUTION

# %% [markdown]
# ## Stretch · local-m
# Luong's simpler local model does not predict a position but assumes that source and target run in step: $p_t = t$. This *local-m*
# ("monotonic") is a softmax over the window $[t - D, t + D]$, without a Gaussian. Write it for all
# steps at once: `scores (..., m, n)` hold a row for every output step $t = 0, 1, \dots$, and a row whose window lies wholly outside the
# source is zero. Then think: on which of our ten languages' dates could it work at all?
#
# ### Stretch exercise · `monotonic_local_weights` (●●○, 12 minutes, ungraded)
#
# <details><summary>Hint 1</summary>
#
# Rows have a number as columns have one. When may column $i$ be seen from row $t$? The comparison of a column vector with a row vector
# is a matrix.
#
# </details>


# %% exercise="monotonic_local_weights" tags=["stretch"]
def monotonic_local_weights(
    scores: Float[Tensor, "*batch m n"], half_width: int
) -> Float[Tensor, "*batch m n"]:
    """Step t attends to positions t − D … t + D by a softmax over them
    (Luong et al. 2015, local-m).
    """
    ### BEGIN SOLUTION
    steps = torch.arange(scores.shape[-2], device=scores.device)[:, None]
    places = torch.arange(scores.shape[-1], device=scores.device)
    window = (places - steps).abs() <= half_width
    return alignment_weights(scores, window.expand(scores.shape))
    ### END SOLUTION


# %% check="monotonic_local_weights" points=0
check(monotonic_local_weights)

# %% [markdown]
# ## Where you stand
# A decoder that looks back needs no bottleneck: it asks its source a question at every step. The question (the state), what it is
# compared with and what it gets in return (both $\mathbf{h}_i$) come from two sequences here. In lesson 03 a
# sequence asks *itself*, question, key and value get a matrix each, and the recurrence goes.
#
# **Sources**
# - Cho et al. (2014a), *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*, EMNLP; Cho et al.
#   (2014b), *On the Properties of Neural Machine Translation: Encoder–Decoder Approaches*, SSST-8; Sutskever, Vinyals and Le (2014),
#   *Sequence to Sequence Learning with Neural Networks*, NeurIPS.
# - Nadaraya (1964), *On Estimating Regression*, Theory of Probability and Its Applications 9; Watson (1964), *Smooth Regression Analysis*,
#   Sankhyā A 26.
# - Graves, Wayne and Danihelka (2014), *Neural Turing Machines*, arXiv.
# - Bahdanau, Cho and Bengio (2015), *Neural Machine Translation by Jointly Learning to Align and Translate*, ICLR.
# - Luong, Pham and Manning (2015), *Effective Approaches to Attention-based Neural Machine Translation*, EMNLP.
# - Vaswani et al. (2017), *Attention Is All You Need*, NeurIPS. Jain and Wallace (2019), *Attention is not Explanation*, NAACL;
#   Wiegreffe and Pinter (2019), *Attention is not not Explanation*, EMNLP.
# - The dates' forms come from the Unicode CLDR through Babel.

# %% tags=["experiment"]
lesson.scoreboard()
