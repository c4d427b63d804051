# %% [markdown]
# # 04 · Multi-head attention
# *Needs: lesson 03 (scaled dot-product attention) · about 2 hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# > The FBI is chasing a criminal on the run .
#
# What must the word *chasing* know? **Who** is chasing, and **who** is chased. These are two look-ups, in two places of the sentence, and
# one attention layer of lesson 03 makes only one: a single softmax, a single set of weights that sum to one, a single weighted average.
# If it puts half its weight on *FBI* and half on *criminal*, then what comes back is the average of the two, and
#
# $$\tfrac12 v_\text{FBI} + \tfrac12 v_\text{criminal} \;=\; \tfrac12 v_\text{criminal} + \tfrac12 v_\text{FBI}$$
#
# does not say who chases whom. Vaswani et al. (2017) gave the layer several softmaxes side by side, each on its own part of the vectors:
# **heads**. Each head looks somewhere else, and their findings are laid side by side instead of averaged.
#
# You will build the layer, compare it with PyTorch's, see one head fail at a task that two heads solve, cut heads out of a trained layer,
# and finally make it generate without repeating work, with a key–value cache, as most language models do.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `split_heads` | ●○○ | 10 | 2.5 |
# | 2 | `merge_heads` | ●○○ | 5 | 2 |
# | 3 | `MultiHeadAttention` | ●●○ | 25 | 7 |
# | 4 | `load_torch_weights` | ●●○ | 10 | 2.5 |
# | 5 | `head_entropy` | ●○○ | 8 | 2.5 |
# | 6 | `mask_heads` | ●○○ | 5 | 2 |
# | 7 | `KeyValueCache` | ●●○ | 12 | 3.5 |
# | 8 | `attention_cost` | ●○○ | 8 | 2 |
# | | written question | | 10 | 3 |
# | ★ | `grouped_query_attention` (stretch) | ●●○ | 15 | – |

# %% tags=["setup"]
import math
import time

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from autograde.notebook import open_lesson
from utils import plots
from utils.head_view import draw_heads, head_view
from utils.lesson import attempt

lesson = open_lesson("04_multi_head_attention", globals())
check = lesson.check

# %% [markdown]
# **Conventions.** `...` in a shape stands for any number of batch dimensions, including none, so count dimensions from the right (`-1`,
# `-2`, `-3`). Results keep the dtype and device of the inputs, and inputs are never changed in place. A mask is boolean, `True` where
# attention is allowed; a row that may attend to nothing has zero weights, never NaN. A figure that says it is waiting for your function
# draws itself once you have written it: run its cell again.

# %% [markdown]
# ## 1 · One wide vector is several narrow ones
#
# A head needs queries, keys and values of its own. One could give each of the $h$ heads three small matrices; it is faster to have one
# wide matrix make all heads' queries at once, and to cut the result. The vector of each word, `d_model` numbers, is cut into $h$ pieces
# of $d_\text{head} = d_\text{model} / h$ numbers: the first piece is head 1's, the second head 2's, and so on.
#
# Then the pieces are sorted by head: all words' first pieces together, all words' second pieces together.
#
# $$(\dots, T, d_\text{model}) \;\longrightarrow\; (\dots, h, T, d_\text{head})$$
#
# Why this order? A matrix product works on the *last two* dimensions and treats all others as a batch. With the head before the time,
# $Q K^\top$ gives one $T \times T$ matrix of scores for each head, and no head ever meets another.
#
# *Worked number.* Two words of six numbers, three heads:
#
# $$\begin{pmatrix} 0 & 1 & 2 & 3 & 4 & 5 \\ 6 & 7 & 8 & 9 & 10 & 11 \end{pmatrix} \;\longrightarrow\;
# \underbrace{\begin{pmatrix} 0 & 1 \\ 6 & 7 \end{pmatrix}}_{\text{head 1}} \;
# \underbrace{\begin{pmatrix} 2 & 3 \\ 8 & 9 \end{pmatrix}}_{\text{head 2}} \;
# \underbrace{\begin{pmatrix} 4 & 5 \\ 10 & 11 \end{pmatrix}}_{\text{head 3}}$$
#
# A warning: the *shape* `(3, 2, 2)` alone proves nothing. Twelve numbers can be given that shape in many
# wrong orders without any error message, and a layer that mixes its words up in this way still trains, badly.

# %% [markdown]
# ### Exercise 1 · `split_heads` (●○○, 10 minutes, 2.5 points)
# Raise a `ValueError` that names `n_heads` and both numbers where the heads do not divide the width.
#
# <details><summary>Hint 1</summary>
#
# Two steps: first make *one* dimension into two, then swap two dimensions. Which dimension of `x` do you cut, and what shape is there in
# between?
#
# </details>
# <details><summary>Hint 2</summary>
#
# In between it is `(..., T, n_heads, d_head)`. `Tensor.unflatten` makes one dimension into several and leaves any number of batch
# dimensions alone.
#
# </details>

# %% exercise="split_heads"
def split_heads(
    x: Float[Tensor, "*batch T d_model"], n_heads: int
) -> Float[Tensor, "*batch n_heads T d_head"]:
    """Each head's piece of every position's vector; `d_head` is `d_model // n_heads`
    (Vaswani et al. 2017, §3.2.2).

    Raises:
        ValueError: if `n_heads` does not divide `d_model`.
    """
    ### BEGIN SOLUTION
    d_model = x.shape[-1]
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(
            "n_heads must divide d_model, "
            f"got n_heads = {n_heads} and d_model = {d_model}"
        )
    return x.unflatten(-1, (n_heads, d_model // n_heads)).transpose(-3, -2)
    ### END SOLUTION


# %% check="split_heads" points=2.5
check(split_heads)

# %% [markdown]
# Below are four words of twelve numbers, coloured by the column they stand in, and what your function makes of them. In each head you
# should see **all four words** and **neighbouring columns**; the number in a cell is its word.

# %% tags=["figure"]
def draw_split(figure):
    words, columns = torch.meshgrid(torch.arange(4.0), torch.arange(12.0), indexing="ij")
    pieces = split_heads(torch.stack([words, columns], dim=0), 3)  # a batch of two: where each number comes from
    axes = figure.subplots(1, 4, width_ratios=[12, 4, 4, 4])
    parts = [(words, columns), *zip(*pieces)]
    titles = [f"x {tuple(words.shape)}"] + [f"head {i + 1} {tuple(piece.shape)}" for i, piece in enumerate(pieces[0])]
    for ax, (word, column), title in zip(axes, parts, titles):
        shown = ax.imshow(column, cmap="viridis", vmin=0, vmax=11, aspect="auto")
        for i, row in enumerate(word.tolist()):
            for j, value in enumerate(row):
                ground = shown.cmap(shown.norm(float(column[i, j])))
                ax.text(j, i, f"{value + 1:.0f}", ha="center", va="center", fontsize=8, **plots.on(ground))
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(False)


plots.show(
    draw_split,
    alt="Left: a matrix of four words (rows) and twelve columns, each column in a colour of its own. Right: its three heads, "
    "each with all four words and four neighbouring columns",
    width=7,
    height=1.9,
)

# %% [markdown]
# ## 2 · And back again
#
# After attention each head holds what it found, `(..., h, T, d_head)`. The lecture's fifth step *concatenates* these: the words get their
# wide vectors back, head 1's finding first. `merge_heads` is the inverse of `split_heads`: splitting and merging must give back every
# number in its place.
#
# ### Exercise 2 · `merge_heads` (●○○, 5 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# Undo the two steps in the opposite order.
#
# </details>
# <details><summary>Hint 2</summary>
#
# PyTorch may complain that a `view` is impossible after a transposition: the numbers no longer lie in memory in the order of the shape.
# `reshape` and `flatten` copy where they must.
#
# </details>

# %% exercise="merge_heads"
def merge_heads(
    x: Float[Tensor, "*batch n_heads T d_head"],
) -> Float[Tensor, "*batch T d_model"]:
    """The heads' vectors of each position side by side, head after head: the inverse of
    `split_heads`.
    """
    ### BEGIN SOLUTION
    return x.transpose(-3, -2).flatten(-2)
    ### END SOLUTION


# %% check="merge_heads" points=2
check(merge_heads)

# %% [markdown]
# ## 3 · The layer
#
# The lecture draws the whole layer in five steps:
#
# 1. this is our input sentence,
# 2. we embed each word,
# 3. split into 8 heads: we multiply $X$ with weight matrices,
# 4. calculate attention using the resulting $Q$, $K$, $V$ matrices,
# 5. concatenate the resulting $Z$ matrices, then multiply with the weight matrix $W^O$ to produce the output of the layer.
#
# Steps 3 to 5 are yours now. As a formula (Vaswani et al. 2017, §3.2.2), with a head's own columns $W_i^Q$ of the wide matrix $W^Q$:
#
# $$Z_i = \text{softmax}\!\left(\frac{(X W_i^Q)(X W_i^K)^\top}{\sqrt{d_\text{head}}}\right) X W_i^V, \qquad
# \text{MultiHead}(X) = [Z_1; \dots; Z_h]\, W^O$$
#
# | symbol | shape | what it holds |
# | --- | --- | --- |
# | $X$ | $(T, d_\text{model})$ | the words |
# | $W^Q, W^K, W^V, W^O$ | $(d_\text{model}, d_\text{model})$ | four `nn.Linear` layers, with bias or without |
# | $Q_i, K_i, V_i$ | $(T, d_\text{head})$ | for each head |
# | weights of head $i$ | $(T_q, T_k)$ | one softmax for each head and each word |
# | output | $(T_q, d_\text{model})$ | as wide as the input, so that layers can be stacked |
#
# *Worked number.* The paper's base model has $d_\text{model} = 512$ and $h = 8$, so $d_\text{head} = 64$ and the scores are divided by
# $\sqrt{64} = 8$, not by $\sqrt{512} \approx 22.6$: the dot product runs over a head's 64 numbers, and it is the length of *that* sum
# that the root makes up for. The number of parameters does not depend on $h$, and neither does that of multiply-adds: heads say
# how the same numbers are grouped. What grows with $h$ is the memory for weights, one $T_q \times T_k$ matrix for each head (section 9).
#
# **Three uses of one layer.** A Transformer that translates uses it at three places (Vaswani et al. 2017, §3.2.3), and they differ only in where
# queries, keys and values come from and in the mask:
#
# | where | queries from | keys and values from | mask |
# | --- | --- | --- | --- |
# | in the encoder | the source | the source | padding |
# | in the decoder | what is written so far | what is written so far | causal |
# | from decoder to encoder (cross-attention) | what is written so far | the encoder's output | the source's padding |
#
# A BERT has the first alone, a GPT the second alone. Lesson 02's decoder did the third, with a recurrent network in the place of the others.
#
# Three things to decide well:
# - **What $W^O$ is for.** Up to the concatenation, head 1's finding sits in the first 64 columns and nowhere else. $W^O$ lets every
#   output number draw on every head.
# - **Cross-attention.** With a `context`, the questions come from `x` and the answers from `context`: queries from the one, keys *and*
#   values from the other (lesson 02's decoder and encoder). The two may differ in length.
# - **The mask.** It says which *words* may be seen, and it says so to all heads alike: `(..., T_q, T_k)`, without a dimension for heads.
#   The scores have one. PyTorch lines dimensions up from the right; a mask `(B, T_q, T_k)` against scores `(B, h, T_q, T_k)` would line
#   up the batch with the heads. With $B = h$ that is a wrong result without an error.

# %% [markdown]
# ### Exercise 3 · `MultiHeadAttention` (●●○, 25 minutes, 7 points)
# Use your `split_heads` and `merge_heads`, and `softmax`. PyTorch's `nn.MultiheadAttention` and `F.scaled_dot_product_attention` are for
# comparing afterwards, not for calling here. The submodules are called `q_proj`, `k_proj`, `v_proj` and `out_proj`, in the style of
# PyTorch, so that weights can be exchanged.
#
# <details><summary>Hint 1</summary>
#
# Write the shape of each tensor as a comment behind its line. After splitting, everything you wrote in lesson 03 works unchanged: the
# heads are one more batch dimension.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `mask.unsqueeze(-3)` makes room for the heads wherever the batch dimensions end.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A row that is masked everywhere is a softmax over $-\infty$ alone: 0/0. What should such a row's weights be, and with which tensor do
# you know where those rows are?
#
# </details>

# %% exercise="MultiHeadAttention" forbids="scaled_dot_product_attention multi_head_attention_forward"
class MultiHeadAttention(nn.Module):
    """`n_heads` attentions side by side, over the same words or over a context
    (Vaswani et al. 2017, §3.2.2).
    """

    def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
        """Four linear layers from d_model to d_model: `q_proj`, `k_proj`, `v_proj`,
        `out_proj`; all with bias or all without.

        Raises:
            ValueError: if `n_heads` does not divide `d_model`; the message names
                `n_heads`.
        """
        super().__init__()
        ### BEGIN SOLUTION
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(
                "n_heads must divide d_model, "
                f"got n_heads = {n_heads} and d_model = {d_model}"
            )
        self.n_heads = n_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        ### END SOLUTION

    def forward(
        self,
        x: Float[Tensor, "*batch T_q d_model"],
        context: Float[Tensor, "*batch T_k d_model"] | None = None,
        mask: Bool[Tensor, "*#batch #T_q T_k"] | None = None,
    ) -> tuple[
        Float[Tensor, "*batch T_q d_model"], Float[Tensor, "*batch n_heads T_q T_k"]
    ]:
        """The output, and every head's weights. Keys and values come from `context`, or
        from `x` where it is None.
        """
        ### BEGIN SOLUTION
        context = x if context is None else context
        q = split_heads(self.q_proj(x), self.n_heads)  # (..., h, T_q, d_head)
        k = split_heads(self.k_proj(context), self.n_heads)  # (..., h, T_k, d_head)
        v = split_heads(self.v_proj(context), self.n_heads)
        scores = q @ k.mT / math.sqrt(q.shape[-1])  # (..., h, T_q, T_k)
        if mask is None:
            weights = scores.softmax(dim=-1)
        else:
            hidden = ~mask.unsqueeze(-3)  # the same for all heads
            weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
            # a row that sees nothing came out as NaN
            weights = weights.masked_fill(hidden, 0.0)
        return self.out_proj(merge_heads(weights @ v)), weights
        ### END SOLUTION


# %% check="MultiHeadAttention" points=7
check(MultiHeadAttention)

# %% [markdown]
# ### The five steps on one page
#
# The lecture's sentence *Thinking Machines* goes through **your** layer: 512 numbers per word, 8 heads, random embeddings, nothing trained.
# Every shape on this page is read off your own tensors as they pass through your layer's submodules. The two rows of every strip are the
# two words. Follow one column of framed boxes down: it is one head.

# %%
STEPS = ("q_proj", "k_proj", "v_proj", "out_proj")


def watch(layer, *inputs):
    """The layer's output and weights, and what went into and came out of each of its four linear submodules."""
    seen = {}

    def note(name):
        return lambda _, given, gave: seen.update({name: (given[0], gave)})

    hooks = [getattr(layer, name).register_forward_hook(note(name)) for name in STEPS]
    try:
        output, weights = layer(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return output, weights, seen


def strip(ax, values, title="", color=None):
    """A tensor as a small picture without axes; `color` frames it."""
    ax.imshow(values.detach(), cmap=plots.DIVERGING, vmin=-3, vmax=3, aspect="auto", interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=8, pad=3)
    for spine in ax.spines.values():
        spine.set(visible=color is not None, color=color, linewidth=2)


# %% tags=["figure"]
def draw_five_steps(figure):
    generator = torch.Generator().manual_seed(8)
    layer = MultiHeadAttention(512, 8)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=512**-0.5, generator=generator)
    x = torch.randn(2, 512, generator=generator)
    output, weights, seen = watch(layer, x)
    parts = {name: split_heads(seen[f"{name}_proj"][1], 8) for name in "qkv"}
    z = seen["out_proj"][0]
    grid = figure.add_gridspec(9, 9, height_ratios=[0.75, 0.75, 0.8, 0.8, 0.8, 1.6, 0.8, 0.75, 0.75], width_ratios=[3.4] + [1] * 8)

    def label(row, text):
        ax = figure.add_subplot(grid[row, 0])
        ax.set_axis_off()
        ax.text(0, 0.5, text, va="center", fontsize=8.5)

    def wide(row, values, text):
        label(row, text)
        strip(figure.add_subplot(grid[row, 1:]), values)

    def by_head(row, values, text):
        label(row, text)
        for i in range(8):
            strip(figure.add_subplot(grid[row, i + 1]), values[i], color=plots.CYCLE[i % 6], title=f"head {i + 1}" if row == 2 else "")

    label(0, "1  the sentence")
    words = figure.add_subplot(grid[0, 1:])
    words.set_axis_off()
    words.text(0.5, 0.5, "Thinking   Machines", ha="center", va="center", fontsize=11)
    wide(1, x, f"2  embed: X {tuple(x.shape)}")
    by_head(2, parts["q"], f"3  split: Q {tuple(parts['q'].shape)}")
    by_head(3, parts["k"], f"    K {tuple(parts['k'].shape)}")
    by_head(4, parts["v"], f"    V {tuple(parts['v'].shape)}")
    label(5, f"4  attend: weights\n    {tuple(weights.shape)}")
    for i in range(8):
        ax = figure.add_subplot(grid[5, i + 1])
        plots.heatmap(ax, weights[i], ["", ""], ["", ""], annotate=True, vmin=0, vmax=1)
    by_head(6, split_heads(z, 8), f"    Z = weights · V {tuple(split_heads(z, 8).shape)}")
    wide(7, z, f"5  concatenate: Z {tuple(z.shape)}")
    wide(8, output, f"    times W$^O$ {tuple(layer.out_proj.weight.shape)}: {tuple(output.shape)}")


plots.show(
    draw_five_steps,
    alt="A page of shapes: the sentence Thinking Machines, its embeddings (2, 512), queries, keys and values of eight heads "
    "(8, 2, 64), eight 2 by 2 weight matrices, the heads' findings (8, 2, 64), concatenated (2, 512), and the output (2, 512)",
    width=8,
    height=5,
)

# %% [markdown]
# The eight $2 \times 2$ matrices differ although nothing has been learned: each head compares its own 64 numbers. (In the lecture's words, only the first layer embeds: every later one starts directly with the
# output of the one below.)

# %% [markdown]
# ## 4 · The same layer as PyTorch's
#
# Is it right? The strongest evidence is a layer that thousands use: with equal weights, `nn.MultiheadAttention` must give equal outputs.
# Only the packing differs. PyTorch keeps the three input matrices in **one**, `in_proj_weight` of shape `(3 · d_model, d_model)`, the
# queries' rows first, then the keys', then the values', and likewise `in_proj_bias` `(3 · d_model,)`; then `out_proj.weight` and
# `out_proj.bias`. Without bias, `in_proj_bias` and `out_proj.bias` are None.
#
# An `nn.Linear` stores its weight as `(out, in)`, and so does the packed matrix: nothing needs to be transposed. As all blocks are
# square, a needless transposition would raise no error; it would only be wrong.
#
# ### Exercise 4 · `load_torch_weights` (●●○, 10 minutes, 2.5 points)
# Copy: training one layer afterwards must leave the other as it is. The module's parameters stay trainable.
#
# <details><summary>Hint 1</summary>
#
# `tensor.chunk(3)` cuts along the first dimension.
#
# </details>
# <details><summary>Hint 2</summary>
#
# PyTorch refuses to change a parameter in place while it records gradients. Either step out of the recording with `torch.no_grad()` and
# use `copy_`, or build a state dict and load it.
#
# </details>

# %% exercise="load_torch_weights"
def load_torch_weights(
    module: MultiHeadAttention, reference: nn.MultiheadAttention
) -> None:
    """Copy the weights of PyTorch's layer, and its biases if it has any, into ours."""
    ### BEGIN SOLUTION
    d_model = reference.embed_dim
    weights = reference.in_proj_weight.split(d_model)
    inputs = (module.q_proj, module.k_proj, module.v_proj)
    with torch.no_grad():
        for layer, weight in zip(
            (*inputs, module.out_proj), (*weights, reference.out_proj.weight)
        ):
            layer.weight.copy_(weight)
        if reference.in_proj_bias is not None:
            biases = reference.in_proj_bias.split(d_model)
            for layer, bias in zip(
                (*inputs, module.out_proj), (*biases, reference.out_proj.bias)
            ):
                layer.bias.copy_(bias)
    ### END SOLUTION


# %% check="load_torch_weights" points=2.5
check(load_torch_weights)

# %% [markdown]
# Here are both layers on random input, in float32 and float64, alone and with a causal mask. PyTorch's masks say `True` where attention
# is *forbidden* in this layer, and `True` where it is *allowed* in `F.scaled_dot_product_attention`. Read the documentation of whatever
# you use.

# %% tags=["experiment"]
def compare_with_torch():
    for dtype in (torch.float32, torch.float64):
        generator = torch.Generator().manual_seed(1)
        reference = nn.MultiheadAttention(48, 6, batch_first=True, dtype=dtype)
        for parameter in reference.parameters():
            nn.init.normal_(parameter, std=48**-0.5, generator=generator)
        ours = MultiHeadAttention(48, 6).to(dtype)
        load_torch_weights(ours, reference)
        x, context = (torch.randn(4, n, 48, generator=generator, dtype=dtype) for n in (10, 7))
        causal = torch.ones(10, 10).tril().bool()
        for name, mine, theirs in (
            ("self-attention ", ours(x), reference(x, x, x)),
            ("cross-attention", ours(x, context), reference(x, context, context)),
            ("causal mask    ", ours(x, mask=causal), reference(x, x, x, attn_mask=~causal)),
        ):
            print(f"{str(dtype):14} {name}  largest difference {(mine[0] - theirs[0]).abs().max():.0e}")


_ = attempt(compare_with_torch)

# %% [markdown]
# A float32 number carries about 7 digits and a float64 about 16; the differences are rounding, of sums in another order.

# %% [markdown]
# ## 5 · Experiment: two look-ups at once
#
# *Chasing* needs its subject and its object. Here is that need in its purest form. Eight guests stand in a room. Each wears one of six
# colours and each has two friends among the others, a first and a second:
#
# > **Ann** wears red and knows **Bob** and **Eve**. **Bob** wears green and knows **Hal** and **Ann**. …
#
# The question to every guest: *what colour does your first friend wear, and what colour your second?* Ann must look at Bob **and** at
# Eve, and must not mix up which is which. The model is as small as can be: the sum of four embeddings (who, colour, first friend, second
# friend) makes a guest's vector, one layer of your attention lets the guests look at each other, and a linear map reads both answers off
# the layer's output. (The guests have names, so their order is of no importance; sentences are another matter, and lesson 05's.)
#
# All models below have the same 16-number vectors and exactly the same number of parameters. Only the number of heads differs.

# %%
GUESTS = ("Ann", "Bob", "Cid", "Dot", "Eve", "Fay", "Gus", "Hal")
COLOURS = ("red", "green", "blue", "gold", "pink", "grey")


def rooms(n, generator):
    """`facts (n, 8, 4)`: who, colour, first and second friend of each guest; `answers (n, 8, 2)`: the two friends' colours."""
    who = torch.arange(len(GUESTS)).expand(n, -1)
    colour = torch.randint(len(COLOURS), who.shape, generator=generator)
    ranking = torch.rand(n, len(GUESTS), len(GUESTS), generator=generator) - 2 * torch.eye(len(GUESTS))  # nobody is their own friend
    first, second = ranking.topk(2, dim=-1).indices.unbind(-1)
    answers = torch.stack([colour.gather(1, first), colour.gather(1, second)], dim=-1)
    return torch.stack([who, colour, first, second], dim=-1), answers


class Party(nn.Module):
    """Four embeddings, one layer of attention, and a readout: linear, or with one hidden layer of `hidden` units."""

    def __init__(self, n_heads, generator, d_model=16, hidden=0):
        super().__init__()
        sizes = (len(GUESTS), len(COLOURS), len(GUESTS), len(GUESTS))
        self.embed = nn.ModuleList(nn.Embedding(size, d_model) for size in sizes)
        self.attention = MultiHeadAttention(d_model, n_heads)
        wide = [nn.Linear(d_model, hidden), nn.ReLU()] if hidden else []
        self.read = nn.Sequential(*wide, nn.Linear(hidden or d_model, 2 * len(COLOURS)))
        for name, parameter in self.named_parameters():
            std = 0.0 if name.endswith("bias") else 1.0 if name.startswith("embed") else parameter.shape[-1] ** -0.5
            nn.init.normal_(parameter, std=std, generator=generator)

    def forward(self, facts):
        x = sum(embed(column) for embed, column in zip(self.embed, facts.unbind(-1)))
        found, weights = self.attention(x)
        return self.read(found).unflatten(-1, (2, len(COLOURS))), weights


def train_party(n_heads, seed, steps=400, hidden=0, learning_rate=1e-2):
    """A model trained on `steps` batches of 64 fresh rooms."""
    generator = torch.Generator().manual_seed(seed)
    model = Party(n_heads, generator, hidden=hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        facts, answers = rooms(64, generator)
        loss = F.cross_entropy(model(facts)[0].flatten(0, -2), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@torch.no_grad()
def accuracy(model, n=500):
    """Shares of right answers on new rooms: (first friend, second friend, both)."""
    facts, answers = rooms(n, torch.Generator().manual_seed(10_000))
    right = model(facts)[0].argmax(-1) == answers
    return [*right.float().mean((0, 1)).tolist(), right.all(-1).float().mean().item()]


# %% tags=["experiment"]
HEADS, SEEDS = (1, 2, 4, 8, 16), (0, 1, 2)


def look_ups():
    models = {(n, seed): train_party(n, seed) for n in tqdm(HEADS, desc="numbers of heads", leave=False) for seed in SEEDS}
    scores = {key: accuracy(model) for key, model in models.items()}
    print("heads   first friend   second friend   both   (one line for each seed)")
    for (n, _), (first, second, both) in scores.items():
        if n <= 2:
            print(f"{n:>5}   {first:>12.0%}   {second:>13.0%}   {both:>4.0%}")
    return models, scores


result = attempt(look_ups)

# %% tags=["figure"]
def draw_look_ups(figure):
    _, scores = result
    ax = figure.subplots()
    for n_bar, n in enumerate(HEADS):
        both = [scores[n, seed][2] for seed in SEEDS]
        ax.bar(n_bar, sum(both) / len(both), color=plots.ORANGE if n == 1 else plots.BLUE, width=0.6)
        ax.plot([n_bar] * len(both), both, "o", color="#111827", markersize=4)
    ax.axhline(1 / len(COLOURS), color=plots.GREY, linestyle=":")
    ax.text(len(HEADS) - 0.45, 1 / len(COLOURS), "one known,\none guessed", fontsize=8, va="bottom", color=plots.GREY)
    ax.set(xlabel="heads", ylabel="both colours right", ylim=(0, 1.05), xlim=(-0.5, len(HEADS) + 0.6))
    ax.set_xticks(range(len(HEADS)), [f"{n}\n($d_{{head}}$ = {16 // n})" for n in HEADS])
    ax.set_title("One head fails at two look-ups, several succeed (dots: seeds)")


plots.show(
    draw_look_ups,
    alt="Both colours right against the number of heads: about {measured:heads.1.both:.0%} with one head, "
    "about {measured:heads.2.both:.0%} with 2, 4 and 8 heads, {measured:heads.16.both:.0%} with 16",
    height=3,
)

# %% [markdown]
# Look at the printed lines: the single head learns **one** of the two friends (nearly) perfectly and guesses the other at 1 in 6. Which of
# the two it learns depends on the seed. Over {measured:heads.seeds} seeds it has both right in {measured:heads.1.both.range:.0%} of the
# cases; two heads with *half* the width each have {measured:heads.2.both.range:.0%}. Does one head only need more training? Four times as
# many steps leave it at {measured:longer.1.both.range:.0%}. (Two heads need room as well: with vectors of 8 numbers instead of 16 they have
# {measured:narrower.short.range:.0%} after as many steps, and {measured:narrower.long.range:.0%} after four times as many.)
#
# Sixteen heads with one number each do worse than two: {measured:heads.16.both.range:.0%}. Here training is part of the answer, as four
# times as many steps bring them to {measured:longer.16.both.range:.0%}, but only a part. A query and a key of one number can only say
# "more" or "less", too little to pick one guest of eight (Bhojanapalli et al. 2020 call this the low-rank bottleneck). But a value of one
# number is narrow, too. Which is it? Give the sixteen heads two numbers for queries and keys alone, and both are right in
# {measured:widened.scores.range:.0%} of the cases; give them two numbers for values alone, and it is {measured:widened.values.range:.0%}. So the
# scores look like the tighter place. But train these four times as long, too, and it is {measured:widened_longer.scores.range:.0%} and
# {measured:widened_longer.values.range:.0%}: wider scores are learned faster, and in the end either remedy is nearly enough. One query of one
# number cannot single out a guest, but sixteen together can, where their values have room for what they find. More of them can without any
# remedy: in a layer of twice the width, thirty-two heads of one number have both right in {measured:wider.32.range:.0%} of the cases (and one head
# still in {measured:wider.1.range:.0%}).
#
# **Why it fails.** A linear readout scores each colour by a weighted sum over the guests, $\sum_j a_j\, u_c^\top x_j$ up to
# constants, for the first question with one set of vectors $u_c$, for the second with another, but with the *same* attention weights
# $a_j$ for both. Say they are 0.6 for the first friend and 0.4 for the second. What answers the first question must prefer the colour with
# the larger share, what answers the second the one with the smaller. With three colours or more no linear map does the latter: one
# that turns large shares into low scores gives the highest to a colour that neither friend wears.
#
# **How far this goes.** The argument needs the *linear* readout (and shares that are the same for all colours). A head may blend 70 : 30,
# and a network with a hidden layer can tell the large share from the small one. The next cell measures it; over {measured:readout.seeds}
# seeds both are right in {measured:readout.linear.range:.0%} of the cases with a linear readout, and in {measured:readout.hidden.range:.0%} with a hidden layer
# ({measured:readout.hidden_longer.range:.0%} after twice the steps; one run with another seed needed them: after half it had found one friend only). So
# one head is not *unable* to carry two findings: it has to put them into one average, and a later layer has to take them apart.

# %% tags=["experiment"]
def unpacking():
    for hidden in (0, 128):
        both = [accuracy(train_party(1, seed, steps=800, hidden=hidden, learning_rate=3e-3))[2] for seed in SEEDS]
        readout = "a hidden layer of 128" if hidden else "a linear readout"
        print(f"one head, {readout:>21}: both right {', '.join(f'{share:.0%}' for share in both)}")


_ = attempt(unpacking)

# %% [markdown]
# ### Where the heads look
#
# One room, one model with four heads. Each row is a guest who looks, with the two friends to be found; each column a guest who is looked
# at.

# %%
def one_room():
    """The facts of one room that training never saw, with labels for who looks and who is looked at."""
    facts, _ = rooms(1, torch.Generator().manual_seed(77))
    lookers = [f"{GUESTS[who]} seeks {GUESTS[first]}, {GUESTS[second]}" for who, _, first, second in facts[0].tolist()]
    seen = [f"{GUESTS[who]} ({COLOURS[colour]})" for who, colour, _, _ in facts[0].tolist()]
    return facts, lookers, seen


# %% tags=["figure"]
def draw_party_heads(figure):
    facts, lookers, seen = one_room()
    _, weights = result[0][4, 0](facts)
    draw_heads(figure, lookers, weights[0], seen)


plots.show(
    draw_party_heads,
    alt="Four heat maps of a trained model's heads over one room, "
    "one row for each guest who looks and one column for each who is looked at. In heads 2 and 3 nearly every row has one cell with "
    "most of the weight; in heads 1 and 4 most rows are spread over several",
    width=8.4,
    height=2.9,
)

# %% [markdown]
# And the same by hand: pick a head and a guest, and see where it looks. (Mouse or keyboard; nothing is loaded from anywhere.)

# %% tags=["figure"]
def show_party_view():
    facts, lookers, seen = one_room()
    _, weights = result[0][4, 0](facts)
    plots.show_html(
        head_view(lookers, weights[0], seen),
        still=draw_party_heads,
        alt="The four heads of the trained model over one room, as small heat maps of who looks at whom",
        width=8.4,
        height=2.9,
    )


_ = attempt(show_party_view)

# %% [markdown]
# Some heads follow the first friend, some the second, though only the loss asked for it. In larger
# models such division of labour has been found too: heads that attend to a verb's object in BERT (Clark et al. 2019), and to a
# neighbouring word in a translation model (Voita et al. 2019). But weights are where a head *looks*. What the layer makes of it is decided by the values and
# $W^O$, and for that one has to intervene, as we will below.

# %% [markdown]
# ## 6 · How sharply does a head look?
#
# One number says whether a head picks one word or spreads over all: the entropy of its weights, $H_i = -\sum_j a_{ij} \ln a_{ij}$, in
# nats, averaged over the words that look.
#
# *Worked numbers.* All weight on one word: $H = 0$ (with $0 \cdot \ln 0 = 0$, the limit of $p \ln p$). Evenly over eight words:
# $H = \ln 8 = 2.08$. The lecture's $(0.88, 0.12)$: $-0.88 \ln 0.88 - 0.12 \ln 0.12 = 0.112 + 0.254 = 0.367$. And $e^H$ reads as "about so
# many words": $e^{0.367} = 1.44$.
#
# ### Exercise 5 · `head_entropy` (●○○, 8 minutes, 2.5 points)
# Weights of exactly 0 make neither the result nor its gradient NaN or infinite.
#
# <details><summary>Hint 1</summary>
#
# In floating point, `0 * log(0)` is `0 * -inf`, which is NaN. Whatever you do about it, do it before the NaN arises, and so that exact
# zeros contribute exactly 0.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The logarithm of 1 is 0, whatever it is multiplied with.
#
# </details>

# %% exercise="head_entropy"
def head_entropy(
    weights: Float[Tensor, "*batch n_heads T_q T_k"],
) -> Float[Tensor, "*batch n_heads"]:
    """The mean entropy, in nats, of each head's rows of weights."""
    ### BEGIN SOLUTION
    # log 1 = 0 where the weight is 0, and no infinite gradient
    logs = weights.where(weights > 0, 1.0).log()
    return -(weights * logs).sum(dim=-1).mean(dim=-1)
    ### END SOLUTION


# %% check="head_entropy" points=2.5
check(head_entropy)

# %% [markdown]
# ## 7 · Cutting heads
#
# Which head does what? Switch one off and see what breaks. Michel, Levy and Neubig (2019) did this to a trained translation model and to
# BERT, and found that most heads, cut one at a time, are not missed: of the 96 in the translator's encoder only 8 changed the quality
# measurably, and half of these for the better.
#
# ### Exercise 6 · `mask_heads` (●○○, 5 minutes, 2 points)
# A head that is not kept has weights of zero everywhere; the other heads' weights stay as they are.
#
# <details><summary>Hint 1</summary>
#
# `keep` has one number for each head, and the heads stand third from the right. Lined up from the right as it is, `keep` would cut
# *words*.
#
# </details>

# %% exercise="mask_heads"
def mask_heads(
    weights: Float[Tensor, "*batch n_heads T_q T_k"], keep: Bool[Tensor, "n_heads"]
) -> Float[Tensor, "*batch n_heads T_q T_k"]:
    """The weights with every head silenced where `keep` is False (Michel et al. 2019,
    §2.3).
    """
    ### BEGIN SOLUTION
    return weights * keep[:, None, None]
    ### END SOLUTION


# %% check="mask_heads" points=2
check(mask_heads)

# %% [markdown]
# The same can be done a step later: a head of zero weights finds $0 \cdot V = 0$, so instead of its weights one may zero its
# finding $Z_i$ on its way into $W^O$. That is how the next cell cuts heads out of a trained layer without touching its code: a PyTorch
# *hook* receives what is about to enter `out_proj`, splits it with your `split_heads`, silences with your `mask_heads` (the last two
# dimensions may be anything), and merges with your `merge_heads`.

# %%
def accuracy_with(model, keep):
    """The model's accuracies with only some heads kept."""

    def silence(_, inputs):
        return (merge_heads(mask_heads(split_heads(inputs[0], len(keep)), keep)),)

    hook = model.attention.out_proj.register_forward_pre_hook(silence)
    try:
        return accuracy(model)
    finally:
        hook.remove()


# %% tags=["experiment"]
def prune():
    """Entropies, and the accuracy lost without each head (on both questions) and without each pair of heads (both right)."""
    model = result[0][4, 0]
    whole = accuracy(model)

    def lost(*cut):
        kept = accuracy_with(model, torch.tensor([head not in cut for head in range(4)]))
        return [before - after for before, after in zip(whole, kept)]

    facts, _ = rooms(200, torch.Generator().manual_seed(4))
    entropy = head_entropy(model(facts)[1]).mean(0).tolist()
    single = [lost(head) for head in range(4)]
    pairs = torch.tensor([[lost(a, b)[2] for b in range(4)] for a in range(4)])  # a head cut twice is a head cut
    return entropy, single, pairs


pruned = attempt(prune)

# %% tags=["figure"]
def draw_pruning(figure):
    entropy, single, pairs = pruned
    left, middle, right = figure.subplots(1, 3, width_ratios=[3, 4, 3.2])
    names = [f"head {i + 1}" for i in range(4)]
    bars = left.bar(range(1, 5), entropy, color=plots.GREY, width=0.6)
    left.bar_label(bars, fmt="%.2f", padding=2)
    left.axhline(math.log(8), color=plots.RED, linestyle=":", label="evenly over 8 guests")
    left.set(xlabel="head", ylabel="entropy (nats)", title="How widely it looks", ylim=(0, 2.9), xticks=range(1, 5))
    left.legend(loc="upper center", fontsize=8)
    for which, (name, color) in enumerate((("first friend", plots.BLUE), ("second friend", plots.ORANGE))):
        places, losses = [i + 0.4 * which + 0.8 for i in range(4)], [max(0.0, loss[which]) for loss in single]
        bars = middle.bar(places, losses, width=0.36, color=color, label=name)
        middle.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
    middle.set(xlabel="head that is cut", ylabel="accuracy lost", title="What is lost without it", ylim=(0, 1.25), xticks=range(1, 5))
    middle.legend(loc="upper center", ncols=2, fontsize=8)
    plots.heatmap(right, pairs, names, [str(i) for i in range(1, 5)], annotate=True, vmin=0, vmax=1)
    right.set(title="Lost without two", xlabel="and head")


plots.show(
    draw_pruning,
    alt="Three pictures of four heads. Left: the entropy of each. Middle: the accuracy lost on either friend when one is cut: the first "
    "friend's with head 2, the second's with head 3, next to nothing with heads 1 and 4. Right: a table of what is lost when two are cut, "
    "which for heads 1 and 2 is far more than for either alone",
    width=8.4,
    height=2.7,
)

# %% [markdown]
# Compare with the pictures above. Where a head follows the first friend, cutting it costs first friends, and the second friends hardly
# notice. That is a stronger statement than a picture of weights: it says what the head is needed *for*.
#
# **Cut one, cut two.** Heads that seem idle when they are cut one at a time may still be needed: each may do the work of the other. Look
# at the table on the right. Head 1 alone is not missed at all; but without heads 1 and 2 far more is lost than without head 2 alone. This is
# no accident of one seed: over {measured:cuts.seeds} of them, the most surprising pair loses {measured:cuts.pair.together:.0%} of the
# answers (both right) together, where its two heads lose {measured:cuts.pair.one:.0%} and {measured:cuts.pair.other:.0%} alone. A list of
# heads that can each be cut is not a list of heads that can all be cut.
#
# And compare the entropies with the losses. Does the sharpest head always matter most, and does a wide head never matter? Take the model of
# another seed (`result[0][4, 1]` in `prune`): the heads share the work differently there.


# %% [markdown]
# ## 8 · Generating without repeating yourself
#
# A GPT writes one word at a time, and each new word attends to all before it. Done naively, word 1,000 makes it compute the keys and
# values of words 1 to 999 again, although none of them has changed: in a causal model no word sees the future, so **old keys and values
# never change**. Keep them.
#
# $$\underbrace{K_{1..t}}_{(\dots, h, t, d_\text{head})} = \big[\underbrace{K_{1..t-1}}_{\text{from the cache}} ;\; k_t\big]$$
#
# For each new word only its own query, key and value are computed; the key and value are appended; the query attends to everything in the
# cache. For a single new word no mask is needed, since the cache holds nothing from the future. The words of a prompt can be appended all at once (with a
# causal mask among themselves).
#
# *Worked number.* GPT-2 small has 12 layers and $d_\text{model} = 768$. For 1,024 positions the cache holds
# $12 \cdot 2 \cdot 1{,}024 \cdot 768 \approx 18.9$ million numbers: 38 MB in 16 bit, for *one* conversation. The cache
# costs memory, which is the reason for this lesson's stretch.

# %% [markdown]
# ### Exercise 7 · `KeyValueCache` (●●○, 12 minutes, 3.5 points)
# `append` takes the keys and values of one *or several* new positions and returns all so far, oldest first. `length` is the number of
# positions held.
#
# <details><summary>Hint 1</summary>
#
# What is there before the first `append`? You do not know the batch size, the dtype or the device yet; the first tensors will tell.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `@property` above `def length(self)` makes `cache.length` work without parentheses. Two caches must not share anything: what belongs to
# one is set in `__init__`.
#
# </details>

# %% exercise="KeyValueCache"
class KeyValueCache:
    """The keys and values of all positions so far, for decoding step by step."""

    def __init__(self) -> None:
        """Empty."""
        ### BEGIN SOLUTION
        self.k: Tensor | None = None
        self.v: Tensor | None = None
        ### END SOLUTION

    def append(
        self,
        k: Float[Tensor, "*batch n_heads t d_head"],
        v: Float[Tensor, "*batch n_heads t d_head"],
    ) -> tuple[
        Float[Tensor, "*batch n_heads t_all d_head"],
        Float[Tensor, "*batch n_heads t_all d_head"],
    ]:
        """Add the keys and values of `t` new positions; all keys and all values so far,
        oldest first.
        """
        ### BEGIN SOLUTION
        self.k = k if self.k is None else torch.cat([self.k, k], dim=-2)
        self.v = v if self.v is None else torch.cat([self.v, v], dim=-2)
        return self.k, self.v
        ### END SOLUTION

    @property
    def length(self) -> int:
        """How many positions the cache holds: 0 at first."""
        ### BEGIN SOLUTION
        return 0 if self.k is None else self.k.shape[-2]
        ### END SOLUTION


# %% check="KeyValueCache" points=3.5
check(KeyValueCache)

# %% [markdown]
# What does it save? Below, one packed linear layer makes the queries, keys and values of 8 heads at `d_model = 256` (as nanoGPT does),
# and PyTorch's attention uses them. The time of *one* more word is measured at several lengths, with your cache and without, the fastest
# of nine runs each.

# %% tags=["experiment"]
class Decoder:
    """One layer's next output, with the keys and values of all words computed again, or with a cache."""

    def __init__(self, longest, d_model=256):
        generator = torch.Generator().manual_seed(0)
        self.packed = nn.Linear(d_model, 3 * d_model)
        nn.init.normal_(self.packed.weight, std=d_model**-0.5, generator=generator)
        self.words = torch.randn(1, longest, d_model, generator=generator)

    def project(self, start, stop):
        return [split_heads(part, 8) for part in self.packed(self.words[:, start:stop]).chunk(3, dim=-1)]

    def everything_again(self, n):
        q, k, v = self.project(0, n)
        return F.scaled_dot_product_attention(q[..., -1:, :], k, v)

    def cache_before(self, n):
        cache = KeyValueCache()
        cache.append(*self.project(0, n - 1)[1:])
        return cache

    def one_word(self, n, cache):
        q, k, v = self.project(n - 1, n)
        return F.scaled_dot_product_attention(q, *cache.append(k, v))


def fastest(step, n, *prepare):
    """Milliseconds of `step(n, …)`, the fastest of nine; what `prepare` makes for each run is not timed."""
    times = []
    for _ in range(9):
        prepared = [make(n) for make in prepare]
        start = time.perf_counter()
        step(n, *prepared)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


@torch.no_grad()
def time_per_token(lengths=(16, 64, 128, 256, 512, 1024)):
    layer = Decoder(max(lengths))
    full = [fastest(layer.everything_again, n) for n in lengths]
    cached = [fastest(layer.one_word, n, layer.cache_before) for n in lengths]
    gap = max((layer.everything_again(n) - layer.one_word(n, layer.cache_before(n))).abs().max().item() for n in lengths)
    print(f"Largest difference between the two: {gap:.0e}.")
    print(f"At {lengths[-1]} words the next word comes {full[-1] / cached[-1]:.0f} times faster with the cache.")
    return lengths, full, cached


timed = attempt(time_per_token)

# %% tags=["figure"]
def draw_times(figure):
    lengths, full, cached = timed
    ax = figure.subplots()
    ax.loglog(lengths, full, "o-", color=plots.ORANGE, label="all keys and values again")
    ax.loglog(lengths, cached, "o-", color=plots.BLUE, label="with the cache")
    ax.set(xlabel="words so far", ylabel="milliseconds for the next word", title="The next word, by the length of the text")
    ax.set_xticks(lengths, [str(n) for n in lengths], minor=False)
    ax.minorticks_off()
    ax.legend()


plots.show(
    draw_times,
    alt="Milliseconds for one more word against the number of words so far, 16 to 1,024, both logarithmic: rising steeply without the "
    "cache, far lower and flatter with it",
    width=6,
    height=3,
)

# %% [markdown]
# Without the cache, the next word costs more with every word there is. With it the line is far lower, but not flat: the query still
# attends to all keys, and a cache that grows by concatenation copies itself at every step. (Real systems reserve the memory beforehand.)

# %% [markdown]
# ## 9 · What the layer costs
#
# Count in *multiply-adds*: a matrix product $(a, b) \cdot (b, c)$ has $a \cdot c$ results, each a sum of $b$ products, so it costs
# $a\,b\,c$ of them. A layer of self-attention has six kinds of products: four projections, the scores of every head, and the weighted sum
# of every head. Softmax, scale and biases cost little beside these and are not counted.
#
# *Worked number.* *Thinking Machines*, $T = 2$, $d_\text{model} = 512$, 8 heads: 1,048,576 parameters; 2,101,248 multiply-adds, nearly
# all of them in the projections; and 32 score entries, four for each head.
#
# ### Exercise 8 · `attention_cost` (●○○, 8 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# Write down the two factors' shapes for one head's scores, count, and multiply by the number of heads. What becomes of
# $h \cdot d_\text{head}$?
#
# </details>

# %% exercise="attention_cost"
def attention_cost(n_positions: int, d_model: int, n_heads: int) -> dict[str, int]:
    """What one self-attention layer over `n_positions` costs, without biases.

    `parameters` of the four projections; `multiply_adds` of projections, scores and
    weighted sums (one each); `score_entries` of all heads together.
    """
    ### BEGIN SOLUTION
    projections = 4 * d_model * d_model
    pairs = n_positions * n_positions
    return {
        "parameters": projections,
        # the heads' widths sum to d_model
        "multiply_adds": n_positions * projections + 2 * pairs * d_model,
        "score_entries": n_heads * pairs,
    }
    ### END SOLUTION


# %% check="attention_cost" points=2
check(attention_cost)

# %% [markdown]
# The famous "attention is quadratic" is true, and for short texts beside the point: below a certain length the projections, linear in
# $T$, are the larger part. Your function knows where the lines cross: the score work is what is left when the projections (`parameters`
# for each word) are taken away.

# %% tags=["figure"]
def draw_costs(figure):
    left, right = figure.subplots(1, 2)
    lengths = [2**i for i in range(5, 15)]
    costs = [attention_cost(n, 512, 8) for n in lengths]
    projections = [n * cost["parameters"] for n, cost in zip(lengths, costs)]
    left.loglog(lengths, projections, color=plots.ORANGE, label="projections")
    left.loglog(lengths, [c["multiply_adds"] - p for c, p in zip(costs, projections)], color=plots.BLUE, label="scores and sums")
    left.axvline(1024, color=plots.GREY, linestyle=":")
    left.set(xlabel="positions T", ylabel="multiply-adds", title="d_model = 512: they cross at T = 1,024")
    left.legend()
    for heads, color in ((1, plots.ORANGE), (8, plots.BLUE), (32, plots.GREEN)):
        entries = [attention_cost(n, 512, heads)["score_entries"] for n in lengths]
        right.loglog(lengths, [4 * e / 2**20 for e in entries], color=color, label=f"{heads} head{'s' * (heads > 1)}")
    right.set(xlabel="positions T", ylabel="MiB of scores (float32)", title="Heads cost no products, but memory")
    right.legend()


plots.show(
    draw_costs,
    alt="Left: multiply-adds of projections and of scores against the number of positions, crossing at 1,024. "
    "Right: mebibytes of scores for 1, 8 and 32 heads",
    width=7.6,
    height=3,
)

# %% [markdown]
# ## 10 · In your own words
#
# **Written question (10 minutes, 3 points).** A colleague says: *"Eight heads of width 64 have the same parameters and multiply-adds as
# one head of width 512. So they must be able to compute the same things, and if a head's weights are nearly uniform it is useless and can
# be cut."* Say in about ten lines (a) what several heads can do that one of the same total width cannot, and what that statement depends
# on; (b) what is lost when more and more heads share a fixed width; (c) how you would find out whether a head can be cut, and why entropy
# alone does not tell.

# %% [markdown] question="heads_in_words" points=3
# ### BEGIN SOLUTION
# **Model answer.** (a) Equal counts do not mean equal functions. One head has one softmax per word, so one convex combination of the
# values; two findings from two places come back as one average with the same weights for whatever is read from it. Several heads have
# several independent sets of weights, and concatenation keeps the findings apart, in different columns, before $W^O$ mixes them. In the
# room experiment one head got one friend right and guessed the other (about {measured:heads.1.both:.0%} both right); two heads got both. It depends on the
# readout: with a linear one a blend cannot be undone; with a hidden layer one head learned to blend unequally and the network unpacked
# it.
#
# (b) Each head's scores are dot products of $d_\text{head} = d_\text{model}/h$ numbers: a $T \times T$ score matrix of rank at most
# $d_\text{head}$. With $d_\text{head} = 1$ (16 heads of 16) a query can ask only for more or for less of one number and cannot single out
# one guest of eight; accuracy fell to {measured:heads.16.both:.0%}, and longer training did not bring it back to that of two heads.
# (Values of one number are a part of it: two numbers for either alone, scores or values, mend nearly all of it.)
#
# (c) Intervene: silence the head and measure the loss on data, for each kind of question separately,
# and several heads together too, because two heads that do the same can replace each other when cut one at a time (in my table, heads 1
# and 2). Entropy says how
# widely a head looks, not what it contributes: a uniform head may deliver a mean that the model needs, a sharp one may be a duplicate or
# point to a word whose value $W^O$ ignores.
#
# **Rubric** — 1 point: several softmaxes, findings kept apart rather than averaged, *and* the readout (or later layers) as a condition.
# 1 point: smaller $d_\text{head}$ limits what a query can single out (rank, or the experiment's 16 heads).
# 1 point: intervention on data,
# and a reason why entropy is not importance (duplicates, useful uniform heads, values or $W^O$). Half points for half of a part.
# ### END SOLUTION

# %% [markdown]
# ## ★ Stretch · grouped queries (●●○, 15 minutes, no points)
#
# The cache holds keys and values for every head. Shazeer (2019) let all heads share *one* head of keys and values; Ainslie et al. (2023)
# found the middle way that many large models take today (Llama 3 and Mistral among them): **groups** of query heads share one head of
# keys and values. With 8 query heads and 2 key–value heads the cache is a quarter as large. Heads 1 to 4 use the first pair, heads 5 to 8
# the second.
#
# `q` is `(..., n_heads, T_q, d_head)`; `k` and `v` are `(..., n_kv_heads, T_k, d_head)`. Give the output `(..., n_heads, T_q, d_head)`
# and the weights `(..., n_heads, T_q, T_k)`, with a mask that is shared by all heads as before. Raise a `ValueError` that names
# `n_kv_heads` if it does not divide the number of query heads.

# %% exercise="grouped_query_attention" forbids="scaled_dot_product_attention multi_head_attention_forward" tags=["stretch"]
def grouped_query_attention(
    q: Float[Tensor, "*batch n_heads T_q d_head"],
    k: Float[Tensor, "*batch n_kv_heads T_k d_head"],
    v: Float[Tensor, "*batch n_kv_heads T_k d_head"],
    mask: Bool[Tensor, "*#batch #T_q T_k"] | None = None,
) -> tuple[
    Float[Tensor, "*batch n_heads T_q d_head"], Float[Tensor, "*batch n_heads T_q T_k"]
]:
    """Attention in which groups of neighbouring query heads share a head of keys and
    values (Ainslie et al. 2023).
    """
    ### BEGIN SOLUTION
    n_heads, n_kv_heads = q.shape[-3], k.shape[-3]
    if n_heads % n_kv_heads:
        raise ValueError(
            "n_kv_heads must divide the number of query heads, "
            f"got n_kv_heads = {n_kv_heads} and {n_heads} query heads"
        )
    k, v = (x.repeat_interleave(n_heads // n_kv_heads, dim=-3) for x in (k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        hidden = ~mask.unsqueeze(-3)
        weights = (
            scores.masked_fill(hidden, -torch.inf)
            .softmax(dim=-1)
            .masked_fill(hidden, 0.0)
        )
    return weights @ v, weights
    ### END SOLUTION


# %% check="grouped_query_attention" points=0
check(grouped_query_attention)

# %% [markdown]
# ## What you have now
#
# A layer that equals PyTorch's up to rounding, that can look in several places at once, and that generates without repeating work. One
# thing it cannot see is order: shuffle the guests, and the outputs are the same, shuffled along. For a room that is right; for *dog bites
# man* it is not. **Lesson 05** gives the words their order.
#
# **Sources.** The lecture: *Attention and Language Modeling*, CSE 291 AI Agents, Prithviraj Ammanabrolu.
#
# - Vaswani et al. (2017), *Attention Is All You Need*, NeurIPS.
# - Michel, Levy and Neubig (2019), *Are Sixteen Heads Really Better than One?*, NeurIPS; Voita et al. (2019), *Analyzing Multi-Head
#   Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned*, ACL.
# - Clark et al. (2019), *What Does BERT Look At? An Analysis of BERT's Attention*, BlackboxNLP.
# - Bhojanapalli et al. (2020), *Low-Rank Bottleneck in Multi-head Attention Models*, ICML.
# - Shazeer (2019), *Fast Transformer Decoding: One Write-Head is All You Need*, arXiv; Ainslie et al. (2023), *GQA: Training Generalized
#   Multi-Query Transformer Models from Multi-Head Checkpoints*, EMNLP.

# %% tags=["figure"]
lesson.scoreboard()
