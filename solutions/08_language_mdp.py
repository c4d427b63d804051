# %% [markdown]
# # 08 · What is a language MDP?
# *Needs: lessons 01 (planning in a learned model) and 07 (GPT) · about 3 hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# The course began with an agent that learned a table of its world and planned in it. It then spent six lessons on language. This lesson
# puts the two together and answers the lecture's last question: **what is a language MDP?**
#
# A Markov decision process is $\langle S, A, T, R \rangle$. In a *language* MDP, states and actions are text. Two readings are in use,
# and you will build both:
#
# | reading | state | action | transition |
# | --- | --- | --- | --- |
# | **token level** | the text written so far | the next token | append it: certain, known |
# | **world level** | an observation, in words | a command, in words | what the world says next: unknown, to be learned |
#
# The first is how a language model is trained by reinforcement (the policy writes, a reward judges the finished text). The second is a
# text game (Côté et al. 2018, *TextWorld*), and the place where a GPT can be more than a policy: it can be the **model of the world**
# $\langle T_\eta, R_\eta \rangle$. You train one on random play, let it play the world's part, and plan in what it imagines.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `prefix_values` | ●●● | 20 | 3 |
# | 2 | `format_transition` | ●○○ | 5 | 1.5 |
# | 3 | `parse_outcome` | ●●○ | 12 | 2.5 |
# | 4 | `outcome_labels` | ●●○ | 12 | 2.5 |
# | 5 | `sample_outcome` | ●○○ | 8 | 2 |
# | 6 | `transition_error_rate` | ●○○ | 4 | 1 |
# | 7 | `rollout_return` | ●●○ | 12 | 3 |
# | 8 | `plan_action` | ●○○ | 8 | 2 |
# | 9 | `action_log_probability` | ●●○ | 15 | 3 |
# | 10 | `choose_action` | ●●○ | 10 | 2 |
# | 11 | `return_conditioned` | ●●○ | 10 | 1.5 |
# | | written question | | 15 | 3 |
# | ★ | `language_dyna` (stretch) | ●●● | 30 | – |
# | ★ | `puct_choice` (stretch) | ●●○ | 15 | – |

# %% tags=["setup"]
import itertools
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from autograde.notebook import open_lesson
from utils import plots
from utils.lesson import attempt
from utils.rollout_view import rollout_view
from utils.textworld import House, Storyteller, Words, draw_house, random_play

lesson = open_lesson("08_language_mdp", globals())
check = lesson.check

# what an action leads to: (reward, next observation, has the episode ended?), or None where it could not be read
Outcome = tuple[float, str, bool] | None

# %% [markdown]
# **Conventions.** Prefixes are tuples of tokens, observations and actions of the game are strings, token ids are int64 tensors. Rewards are
# named as in lesson 01: $r_{t+1}$ is what the action at time $t$ brings. Inputs are never changed in place. Randomness comes from an
# explicit `torch.Generator` where a function is given one. A figure that says it is waiting for your function draws itself once you have
# written it: run its cell again.
#
# ## 1 · The token-level MDP, and its exact values
#
# A writer has a vocabulary $\mathcal V$ and writes exactly $H$ tokens.
#
# - **State**: the text so far, a tuple of $n \le H$ tokens. It starts as the empty tuple `()`. (The last token alone is *not* a state:
#   what may follow depends on everything before it.)
# - **Action**: the next token. **Transition**: it is appended, with certainty.
# - **Reward**: nothing until the text is complete, then $R(\text{text})$. There is no discount.
#
# The policy $\pi(w \mid \text{prefix})$ is a language model. The value of a prefix is the mean reward of the texts that it becomes:
#
# $$V^\pi(\text{prefix}) = \sum_{w \in \mathcal V} \pi(w \mid \text{prefix}) \; V^\pi(\text{prefix} + w), \qquad V^\pi(\text{text}) = R(\text{text}) \text{ at length } H$$
#
# With 4 tokens and $H = 4$ there are $4^4 = 256$ texts and $1 + 4 + 16 + 64 = 85$ shorter prefixes: few enough to be exact. A GPT has
# 50,257 tokens and writes a thousand of them; nobody will ever enumerate that. So the small case gives the **exact values** with which
# any estimate by sampling (Monte Carlo, or lesson 01's Sarsa and Q-learning) can be compared.
#
# *Worked number.* Two tokens `a` and `b`, $H = 2$, and reward 1 for `aa`, 3 for `bb`, else 0. The policy writes `a` with
# probability 0.75, whatever came before. $V(\texttt{a}) = 0.75 \cdot 1 = 0.75$, $V(\texttt{b}) = 0.25 \cdot 3 = 0.75$, and
# $V() = 0.75 \cdot 0.75 + 0.25 \cdot 0.75 = 0.75$.

# %% [markdown]
# ### Exercise 1 · `prefix_values` (●●●, 20 minutes, 3 points)
#
# <details><summary>Hint 1</summary>
#
# Values flow backwards: those of all full texts are known at once, and with the values of length $n + 1$ you can work out those of length
# $n$. Or let a function that knows the value of a prefix call itself for the longer ones.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `itertools.product(vocabulary, repeat=n)` gives all tuples of `n` tokens; with `n = 0` it gives `()` once. `(*prefix, token)` is a tuple
# with one more token.
#
# </details>


# %% exercise="prefix_values"
def prefix_values(
    vocabulary: Sequence[str],
    horizon: int,
    reward: Callable[[tuple], float],
    policy: Callable[[tuple], Sequence[float]],
) -> dict[tuple, float]:
    """V^π of every prefix of every text of `horizon` tokens, the empty one `()` and the
    full texts included.

    `policy(prefix)` gives one probability for each token of `vocabulary`, in its order;
    `reward(text)` is defined for full texts only.
    """
    ### BEGIN SOLUTION
    values = {
        text: float(reward(text))
        for text in itertools.product(vocabulary, repeat=horizon)
    }
    for n in reversed(range(horizon)):
        for prefix in itertools.product(vocabulary, repeat=n):
            chances = policy(prefix)
            values[prefix] = sum(
                float(p) * values[(*prefix, token)]
                for token, p in zip(vocabulary, chances)
            )
    return values
    ### END SOLUTION


# %% check="prefix_values" points=3
check(prefix_values)

# %% [markdown]
# Here is a writer of four tokens. It likes to follow *take* with *key* and *open* with *door*, and it avoids repeating itself. The judge pays 1
# for `take key open door`, and 0.25 for any other text that begins with `take key`.

# %%
TOKENS, HORIZON = ("take", "key", "open", "door"), 4
HABITS = {("take", "key"): 4.0, ("open", "door"): 4.0}


def writer(prefix: tuple) -> list[float]:
    """Next-token probabilities; a word that was written already is unlikely, wherever it stands, so the whole prefix matters."""
    weights = [HABITS.get((prefix[-1] if prefix else "", w), 1.0) * (0.2 if w in prefix else 1.0) for w in TOKENS]
    return [weight / sum(weights) for weight in weights]


def judge(text: tuple) -> float:
    return 1.0 if text == TOKENS else 0.25 * (text[:2] == TOKENS[:2])


# %% tags=["figure"]
def draw_prefixes(figure):
    values = prefix_values(TOKENS, HORIZON, judge, writer)
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    path = [TOKENS[:n] for n in range(HORIZON + 1)]
    left.plot(range(HORIZON + 1), [values[p] if len(p) < HORIZON else judge(p) for p in path], "o-")
    for n, prefix in enumerate(path):
        for token in TOKENS if n < HORIZON else ():
            other = (*prefix, token)
            value = values[other] if len(other) < HORIZON else judge(other)
            if token != TOKENS[n]:
                left.plot([n, n + 1], [values[prefix], value], color=plots.GREY, linewidth=0.7, alpha=0.6)
                left.plot(n + 1, value, "x", color=plots.GREY, markersize=4)
    left.set_xticks(range(HORIZON + 1), ["(start)", *TOKENS])
    left.set(title="Value after each word (grey: another word instead)", ylabel="exact value")
    counts = [10, 30, 100, 300, 1000, 3000]
    errors = [monte_carlo_error(values, n) for n in counts]
    right.loglog(counts, errors, "o", label="Monte Carlo from ()")
    right.loglog(counts, [errors[2] * (100 / n) ** 0.5 for n in counts], color=plots.GREY, linewidth=1, label="1/√n")
    right.set(title="Error of the estimate of V()", xlabel="texts written", ylabel="root mean square error")
    right.legend()


def monte_carlo_error(values, n, repeats=30):
    """How far the mean reward of n texts is from the exact value of (), over `repeats` attempts."""
    generator = torch.Generator().manual_seed(n)
    squares = []
    for _ in range(repeats):
        total = 0.0
        for draws in torch.rand(n, HORIZON, generator=generator).tolist():
            text = ()
            for u in draws:
                ladder = list(itertools.accumulate(writer(text)))
                text = (*text, TOKENS[min(sum(step <= u for step in ladder), 3)])
            total += judge(text)
        squares.append((total / n - values[()]) ** 2)
    return (sum(squares) / repeats) ** 0.5


plots.show(
    draw_prefixes,
    alt="Left: the exact value rises with every word of take key open door, while other words drop it to a quarter or to zero. "
    "Right: the error of Monte Carlo values falls with the square root of the number of texts",
    width=7.4,
    height=2.9,
)

# %% [markdown]
# The left picture is what a *value model* learns when language models are trained by reinforcement: how much the text is worth so far, where
# a reward model judges only the whole. One wrong word, and the grey lines drop to 0.25 or 0. The right picture is the price of sampling: a
# hundred times the texts for a tenth of the error.

# %% [markdown]
# ### A policy gradient beside the exact one
# Reinforcement moves the writer's parameters along the gradient of $V^\pi(())$. Let every prefix have a logit $\theta$ for each token. With
# the values at hand the gradient is exact (Sutton et al. 2000):
#
# $$\frac{\partial V^\pi(())}{\partial \theta(\text{prefix}, w)} = P(\text{prefix}) \; \pi(w \mid \text{prefix}) \; \big( V^\pi(\text{prefix} + w) - V^\pi(\text{prefix}) \big)$$
#
# Without them one samples: in each text, every token that was written gets a signal, and the logits of its prefix move by the signal times
# $\mathbb 1[w \text{ written}] - \pi(w \mid \text{prefix})$. The signal may be the text's reward (REINFORCE, Williams 1992), the reward
# minus $V^\pi(())$, or what this one token did to the value. On average all three give the exact gradient; how far is each from it after 100 texts?


# %%
SIGNALS = {
    "the reward": lambda values, text, n: values[text],
    "the reward minus V()": lambda values, text, n: values[text] - values[()],
    "the token's step in value": lambda values, text, n: values[text[: n + 1]] - values[text[:n]],
}


def unfinished(values: dict[tuple, float]) -> list[tuple]:
    """The prefixes that are no full texts, the shorter first."""
    return sorted((prefix for prefix in values if len(prefix) < HORIZON), key=len)


def exact_gradient(values: dict[tuple, float]) -> dict[tuple, float]:
    """{(prefix, token): ∂V() / ∂θ(prefix, token)} for logits θ of the writer."""
    reached, gradient = {(): 1.0}, {}
    for prefix in unfinished(values):
        for token, chance in zip(TOKENS, writer(prefix)):
            reached[(*prefix, token)] = reached[prefix] * chance
            gradient[prefix, token] = reached[prefix] * chance * (values[(*prefix, token)] - values[prefix])
    return gradient


def write_text(generator: torch.Generator) -> tuple:
    """A text that the writer draws."""
    text = ()
    for _ in range(HORIZON):
        text = (*text, TOKENS[int(torch.multinomial(torch.tensor(writer(text)), 1, generator=generator))])
    return text


def sampled_gradient(values: dict[tuple, float], signal: Callable, n_texts: int, generator: torch.Generator) -> dict[tuple, float]:
    """An estimate of `exact_gradient` from `n_texts` drawn texts; `signal(values, text, n)` is what token n of a text gets."""
    gradient = dict.fromkeys(itertools.product(unfinished(values), TOKENS), 0.0)
    for text in (write_text(generator) for _ in range(n_texts)):
        for n, written in enumerate(text):
            for token, chance in zip(TOKENS, writer(text[:n])):
                gradient[text[:n], token] += signal(values, text, n) * ((token == written) - chance) / n_texts
    return gradient


def distance(one: dict[tuple, float], other: dict[tuple, float]) -> float:
    return sum((one[key] - other[key]) ** 2 for key in one) ** 0.5


def gradient_errors(values: dict[tuple, float], n_texts: int = 100, repeats: int = 10, seed: int = 0) -> dict[str, float]:
    """For each signal, the mean distance of its estimates from the exact gradient."""
    generator, exact = torch.Generator().manual_seed(seed), exact_gradient(values)
    return {
        name: sum(distance(sampled_gradient(values, signal, n_texts, generator), exact) for _ in range(repeats)) / repeats
        for name, signal in SIGNALS.items()
    }


# %% tags=["experiment"]
def compare_signals():
    values = prefix_values(TOKENS, HORIZON, judge, writer)
    size = sum(number**2 for number in exact_gradient(values).values()) ** 0.5
    print(f"length of the exact gradient      {size:.3f}")
    for name, error in gradient_errors(values).items():
        print(f"error with {name:<26} {error:.3f}")


_ = attempt(compare_signals)

# %% [markdown]
# The signal about the *token* itself has the least noise: little of the rest of the text is in it. This is why reinforcement of language
# models often learns a value model beside the policy, as PPO does (Schulman et al. 2017); here the values are exact, there they are learned
# and have errors of their own.

# %% [markdown]
# ## 2 · The world-level MDP: a small house
#
# You are in a house. A treasure lies in the study, the study is locked, its key lies in the kitchen, and an apple in the garden.


# %% tags=["figure"]
def draw_map(figure):
    draw_house(figure.subplots())


plots.show(
    draw_map,
    alt="Map of the house: the hall in the middle, the study with the treasure behind a locked door to the north, the kitchen with the key "
    "to the east, the garden with the apple to the south",
    width=4.2,
    height=3.6,
)

# %% [markdown]
# Observations and actions are English. `house.reset(generator)` begins somewhere outside the study, `house.actions(obs)` lists what can be
# tried, `house.step(action)` gives `(obs, reward, terminated)`. Every step costs 0.1, the apple brings 0.5, the treasure 1.0 and the end. So
# all rewards are multiples of 0.1, and one decimal loses nothing.
#
# The observation says everything that matters, so it is a state: the future depends on it and the action, not on what was before. Had we
# not written *the study is locked* into every line, the text would be an observation of a *partially* observed MDP, and the history
# would have to serve as state.

# %%
house = House()

# %% tags=["experiment"]
generator = torch.Generator().manual_seed(3)
obs = house.reset(generator)
for action in ("go west", "go south", "take apple"):  # this seed begins in the kitchen
    print(f"{obs}\n  > {action}")
    obs, reward, terminated = house.step(action)
    print(f"  {reward:+.1f}")
print(obs)

# %% [markdown]
# The house is small on purpose: 22 observations and 43 pairs of an observation and an action, so `house.to_mdp()` gives it as a table and its true values are
# known. The *agent* does not see this table. It sees text.
#
# ### A step as a line of text
# A language model learns from text, so experience has to become text:
#
# `<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {end or go}`
#
# The three marks are single tokens. Everything up to `<out>` is the question, $(s, a)$; what follows is the answer, $(r, s', \text{end?})$.
# The lecture assumes that reward and next state are independent given state and action. One line that is written from left to right does
# not have to: the observation comes after the reward and may depend on it,
# $p(r, s' \mid s, a) = p(r \mid s, a)\, p(s' \mid s, a, r)$.
#
# *Worked line.* `<obs> you are in the hall . … <act> go east <out> -0.1 | you are in the kitchen . … | go`

# %% [markdown]
# ### Exercise 2 · `format_transition` (●○○, 5 minutes, 1.5 points)
#
# <details><summary>Hint 1</summary>
#
# In an f-string, `{reward:+.1f}` writes a number with its sign and one decimal.
#
# </details>


# %% exercise="format_transition"
def format_transition(
    obs: str, action: str, reward: float, next_obs: str, terminated: bool
) -> str:
    """One step as one line:
    `<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {end or go}`, without
    a line break.
    """
    ### BEGIN SOLUTION
    return (
        f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} "
        f"| {'end' if terminated else 'go'}"
    )
    ### END SOLUTION


# %% check="format_transition" points=1.5
check(format_transition)

# %% [markdown]
# ### And back
# A language model may write anything: an outcome without a flag, a reward that is no number, half a sentence. Whoever plans in it must
# notice. `parse_outcome` reads what stands *after* `<out>` and says `None` to everything that is not of the form.
#
# | text | result |
# | --- | --- |
# | ` +0.9 \| you are in the study . … \| end` | `(0.9, "you are in the study . …", True)` |
# | ` -0.1 \| you are in the hall . … \| go` | `(-0.1, "you are in the hall . …", False)` |
# | ` -0.1 \| you are in` | `None` |
# | ` nan \| you are in the hall . … \| go` | `None` |
# | ` -0.1 \| \| go` (no observation) | `None` |
# | ` -0.1 \| you are in the hall . … \| go \| end` (four parts) | `None` |
#
# An observation never holds a bar, and the spaces around it are not part of it.

# %% [markdown]
# ### Exercise 3 · `parse_outcome` (●●○, 12 minutes, 2.5 points)
#
# <details><summary>Hint 1</summary>
#
# Take the text apart at the bars and look at how many parts there are, before you look into them.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `float("nan")` is a float to Python, and `float("much")` raises a ValueError. Regular expressions can say exactly which numbers you
# want; so can `math.isfinite`, with a `try` around the conversion.
#
# </details>


# %% exercise="parse_outcome"
def parse_outcome(text: str) -> Outcome:
    """`(reward, next_obs, terminated)` from what follows `<out>`, or None for anything
    malformed. Never an exception.
    """
    ### BEGIN SOLUTION
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 3 or not parts[1] or parts[2] not in ("end", "go"):
        return None
    try:
        reward = float(parts[0])
    except ValueError:
        return None
    # nan is not equal to itself; an infinite reward is no number either
    return (reward, parts[1], parts[2] == "end") if abs(reward) < float("inf") else None
    ### END SOLUTION


# %% check="parse_outcome" points=2.5
check(parse_outcome)

# %% [markdown]
# ## 3 · A GPT as the world
#
# A language model that continues `<obs> … <act> … <out>` *is* a model $\langle T_\eta, R_\eta \rangle$: one draw from it is one draw of
# the reward and the next state. What should it be trained on? We want $p(\text{outcome} \mid s, a)$, so the loss looks at the outcome only.
# Which observation comes up and which action is tried is the agent's doing, and would be another one for another agent.
#
# As in lesson 07, the label of a position is the *next* token; `ignore_index` marks positions that do not count (`F.cross_entropy` skips
# −100 by default).
#
# *Worked example*, with 9 for `<out>`:
#
# | position | 0 | 1 | 2 | 3 | 4 | 5 |
# | --- | --- | --- | --- | --- | --- | --- |
# | ids | 5 | 6 | **9** | 7 | 3 | 8 |
# | labels | −100 | −100 | 7 | 3 | 8 | −100 |
#
# The mark's own position has a label: there the model must say the reward. The last position has none, since nothing follows it.

# %% [markdown]
# ### Exercise 4 · `outcome_labels` (●●○, 12 minutes, 2.5 points)
#
# <details><summary>Hint 1</summary>
#
# Shift first, then hide. What is the label of every position, if there were no mark?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `(ids == outcome_id).cumsum(dim=-1)` counts the marks up to each position.
#
# </details>


# %% exercise="outcome_labels"
def outcome_labels(
    ids: Int[Tensor, "*batch T"], outcome_id: int, ignore_index: int = -100
) -> Int[Tensor, "*batch T"]:
    """labels[t] = ids[t + 1] from the first outcome mark on; `ignore_index` before it
    and at the last position.

    A text without the mark is ignored whole. Every text of a batch has its own first
    mark.
    """
    ### BEGIN SOLUTION
    begun = (ids == outcome_id).cumsum(dim=-1) > 0
    labels = torch.full_like(ids, ignore_index)
    labels[..., :-1] = torch.where(begun[..., :-1], ids[..., 1:], ignore_index)
    return labels
    ### END SOLUTION


# %% check="outcome_labels" points=2.5
check(outcome_labels)

# %% [markdown]
# The world model is a GPT as in lesson 07, put together from PyTorch's own parts (so that you can go on here whatever your GPT does): two
# blocks, four heads, 64 dimensions, about 136,000 parameters, and a token for each word.

# %%
words = Words(house)


class WorldModel(nn.Module):
    """A small GPT of PyTorch's parts: `model(ids, labels)` gives `(logits, loss)`. Labels are aligned with positions, −100 is skipped."""

    def __init__(self, vocabulary: int, longest: int = 80, width: int = 64, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(longest, width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.stack = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.output = nn.Linear(width, vocabulary)
        nn.init.normal_(self.tokens.weight, std=0.1)
        nn.init.normal_(self.places.weight, std=0.1)

    def forward(self, ids, labels=None):
        length = ids.shape[1]
        future = nn.Transformer.generate_square_subsequent_mask(length, device=ids.device)
        hidden = self.tokens(ids) + self.places.weight[:length]
        logits = self.output(self.stack(hidden, mask=future, is_causal=True))
        return logits, None if labels is None else F.cross_entropy(logits.transpose(1, 2), labels)


def train_on(lines: Sequence[str], mark: str, seed: int, steps: int = 300, batch: int = 16) -> WorldModel:
    """A model that has learned to continue these lines after `mark`. Uses your `outcome_labels`."""
    ids = words.batch(lines)
    labels = outcome_labels(ids, words.number[mark])
    labels = labels.masked_fill(labels == words.number[words.PAD], -100)
    order = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = WorldModel(len(words))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        chosen = torch.randint(len(ids), (batch,), generator=order)
        _, loss = model(ids[chosen], labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def lines_of(episodes) -> list[str]:
    return [format_transition(*step) for episode in episodes for step in episode]


# %% [markdown]
# ### Asking the model
# To ask the model for an outcome, write the question, let it write on, and read the answer. If it cannot be read, ask again, a few times.
# If it still cannot, say so: `None`. An invented outcome ("nothing happened") would be a third source of error, and an invisible one.
#
# `generate(prompt)` writes on from a prompt and returns *only what is new*, up to the end of the line.
# (Here white space at the prompt's end makes no difference, since the tokens are words. To GPT-2's tokenizer of lesson 06 such a space is a token of its own,
# and the model has then to go on in the middle of what it knows as one token, a space and a word.)

# %% [markdown]
# ### Exercise 5 · `sample_outcome` (●○○, 8 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# The prompt is the beginning of the line that `format_transition` writes, up to and including `<out>`.
#
# </details>


# %% exercise="sample_outcome"
def sample_outcome(
    generate: Callable[[str], str], obs: str, action: str, attempts: int = 3
) -> Outcome:
    """One outcome `(reward, next_obs, terminated)` drawn from the language model; None
    when all `attempts` are malformed.
    """
    ### BEGIN SOLUTION
    for _ in range(attempts):
        outcome = parse_outcome(generate(f"<obs> {obs} <act> {action} <out>"))
        if outcome is not None:
            return outcome
    return None
    ### END SOLUTION


# %% check="sample_outcome" points=2
check(sample_outcome)

# %% [markdown]
# How good is a model? Compare what it says with what the world would have said, pair by pair. The whole outcome counts: a right room with a
# wrong reward is wrong.

# %% [markdown]
# ### Exercise 6 · `transition_error_rate` (●○○, 4 minutes, 1 point)


# %% exercise="transition_error_rate"
def transition_error_rate(pairs: Sequence[tuple[Outcome, Outcome]]) -> float:
    """The share of `(predicted, true)` pairs that differ in reward, observation or end,
    or whose prediction is None.
    """
    ### BEGIN SOLUTION
    return sum(
        predicted is None or predicted != true for predicted, true in pairs
    ) / len(pairs)
    ### END SOLUTION


# %% check="transition_error_rate" points=1
check(transition_error_rate)

# %% [markdown]
# Now train world models on more and more random play, and let each play the world's part. Every question is asked ten times. Two kinds of
# nonsense are counted: texts that are **malformed** (`parse_outcome` says None), and outcomes that read well but describe a situation that
# does not exist, such as *here is a key* while *you carry the key*: **impossible**. The agent knows the state space (the lecture assumes
# it), so it can tell; an impossible outcome ends a rollout like an unreadable one.
#
# A wrong outcome can have two reasons. **Data**: the play never tried this action in this situation. **Training**: it did, and the model has
# not learned it. So we also count the questions that were never tried, and look at the others alone. And one more model gets the most play
# and twice the training steps.

# %%
SIZES = (50, 200, 800, 3200)


class Imagination:
    """A language model in the world's place: `imagine(obs, action)` is an outcome or None. Counts what it could not use."""

    def __init__(self, model: WorldModel, seed: int) -> None:
        self.story = Storyteller(model, words, torch.Generator().manual_seed(seed))
        self.known = set(house.observations())
        self.texts = self.malformed = self.impossible = 0

    def generate(self, prompt: str) -> str:
        text = self.story(prompt)
        self.texts += 1
        self.malformed += parse_outcome(text) is None
        return text

    def __call__(self, obs: str, action: str) -> Outcome:
        outcome = sample_outcome(self.generate, obs, action)
        if outcome is not None and outcome[1] not in self.known:
            self.impossible += 1
            return None
        return outcome


QUESTIONS = [(obs, action) for obs in house.observations() if "the treasure" not in obs for action in house.actions(obs)]


def played(n: int, seed: int = 0) -> list:
    """The first n steps of this seed's random play, so that a larger n holds those of a smaller one."""
    episodes = random_play(House(), SIZES[-1], torch.Generator().manual_seed(100 + seed))
    return [step for episode in episodes for step in episode][:n]


def train_world(n: int, seed: int = 0, steps: int = 300) -> WorldModel:
    """A world model that has learned from n steps of random play."""
    return train_on([format_transition(*step) for step in played(n, seed)], "<out>", seed, steps)


def model_error(model: WorldModel, tried: set, draws: int = 10) -> dict[str, float]:
    """Of every question `draws` times: what share is wrong, of all and of those in `tried`, what share of texts malformed, and impossible."""
    imagine, truth, wrong = Imagination(model, seed=1), House(), {}
    for question in QUESTIONS:
        true = tuple(truth.outcomes(*question)[0][1:])
        wrong[question] = transition_error_rate([(imagine(*question), true) for _ in range(draws)])
    known = [rate for question, rate in wrong.items() if question in tried]
    return {
        "never tried": 1 - len(known) / len(QUESTIONS),
        "wrong": sum(wrong.values()) / len(QUESTIONS),
        "wrong, if tried": sum(known) / len(known),
        "malformed": imagine.malformed / imagine.texts,
        "impossible": imagine.impossible / (draws * len(QUESTIONS)),
    }


def train_and_test(n: int, seed: int = 0, steps: int = 300) -> tuple[WorldModel, dict[str, float]]:
    """A world model, and its errors."""
    model = train_world(n, seed, steps)
    return model, model_error(model, {step[:2] for step in played(n, seed)})


# %% tags=["experiment"]
trained = attempt(lambda: {n: train_and_test(n) for n in SIZES})
twice = attempt(train_and_test, SIZES[-1], steps=600)
if trained and twice:
    worlds, errors = ({n: both[i] for n, both in trained.items()} for i in (0, 1))
    print(f"{'steps of play':<28}" + "".join(f"{name:>17}" for name in twice[1]))
    for name, found in [*errors.items(), (f"{SIZES[-1]}, trained twice as long", twice[1])]:
        print(f"{name!s:<28}" + "".join(f"{value:17.1%}" for value in found.values()))
else:
    worlds = errors = trained

# %% [markdown]
# ## 4 · Planning in what it imagines
#
# **A rollout** takes an action, lets the model say what happens, lets a simple policy take the next action, and so on, for at most `depth`
# steps. Its return is $G = \sum_{k \ge 0} \gamma^k\, r_{t+k+1}$; as in the lecture and in lesson 01, $r_{t+1}$ is the reward of the action at
# time $t$. It ends early when the episode ends, and when the model's answer cannot be used (then nothing is added for that step: we know
# nothing about it).
#
# *Worked number.* Rewards −0.1, +0.4, −0.1 with $\gamma = 0.5$: $-0.1 + 0.5 \cdot 0.4 - 0.25 \cdot 0.1 = 0.075$.
#
# $$\hat Q(s, a) = \frac 1 n \sum_{i=1}^n G_i, \qquad \text{plan: } \arg\max_a \hat Q(s, a)$$
#
# **The plan** tries every action in `n_rollouts` rollouts and takes the one with the best mean. If the rollouts' policy is random this
# estimates $Q^{\text{random}}$, and being greedy on it is one step of policy improvement (Sutton and Barto 2018, §8.10, *rollout
# algorithms*; Tesauro and Galperin 1996 played backgammon this way).

# %% [markdown]
# ### Exercise 7 · `rollout_return` (●●○, 12 minutes, 3 points)
#
# <details><summary>Hint 1</summary>
#
# Carry three things from step to step: the observation, the action that comes next, and the discount of the next reward, which begins at 1.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In which order? Ask for the outcome; stop if there is none; collect the reward; stop if that was the end; only then ask the policy.
#
# </details>


# %% exercise="rollout_return"
def rollout_return(
    sample: Callable[[str, str], Outcome],
    policy: Callable[[str], str],
    obs: str,
    action: str,
    depth: int,
    gamma: float,
) -> float:
    """The discounted return of one imagined rollout of at most `depth` steps that
    starts with `action` in `obs`.

    `sample(obs, action)` gives an outcome or None, which ends the rollout with nothing
    added; `policy(obs)` gives the later actions.
    """
    ### BEGIN SOLUTION
    value, discount = 0.0, 1.0
    for _ in range(depth):
        outcome = sample(obs, action)
        if outcome is None:
            break
        reward, obs, terminated = outcome
        value += discount * reward
        discount *= gamma
        if terminated:
            break
        action = policy(obs)
    return value
    ### END SOLUTION


# %% check="rollout_return" points=3
check(rollout_return)

# %% [markdown]
# ### Exercise 8 · `plan_action` (●○○, 8 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# `max(values, key=values.get)` gives the key with the largest value, and the first of several. A dict keeps the order in which it was
# filled.
#
# </details>


# %% exercise="plan_action"
def plan_action(
    sample: Callable[[str, str], Outcome],
    policy: Callable[[str], str],
    obs: str,
    actions: Sequence[str],
    n_rollouts: int,
    depth: int,
    gamma: float,
) -> tuple[str, dict[str, float]]:
    """`(best, values)`: the mean return of `n_rollouts` rollouts for each action, and
    the best action, the first among equals.
    """
    ### BEGIN SOLUTION
    values = {}
    for action in actions:
        returns = [
            rollout_return(sample, policy, obs, action, depth, gamma)
            for _ in range(n_rollouts)
        ]
        values[action] = sum(returns) / n_rollouts
    return max(values, key=values.get), values
    ### END SOLUTION


# %% check="plan_action" points=2
check(plan_action)

# %% [markdown]
# Look into the model's imagination. From the garden, with the key in hand, each action is tried many times, and what the model says becomes a branch,
# stronger in colour the more often it says so. Click a box to open or close what follows it (with the keyboard: Tab and Enter). The house would have *one* branch for
# each action: whatever else you see, the model made up. Look for the right branch of *take apple*, reward +0.4 and *garden · key, apple*: the play of
# 200 steps has never tried it here, and the model cannot know.

# %% tags=["figure"]
GARDEN = "you are in the garden . here is an apple . the study is locked . you carry the key ."


def build_tree():
    return rollout_view(Imagination(worlds[SIZES[1]], seed=4), GARDEN, house.actions, draws=30, depth=3)


view = attempt(build_tree)
ALT_TREE = "A tree: from the garden two actions, each with the outcomes that a world model trained on little play imagines, coloured by their share"
if view:
    plots.show_html(view.html, still=view.draw, alt=ALT_TREE, width=7.6, height=3.4)
else:
    plots.show(lambda figure: view.draw(figure), alt=ALT_TREE, width=7.6, height=3.4)

# %% [markdown]
# ## 5 · A policy that is a language model
#
# Planning asks the model about the *world*. The other use of a language model is to ask it what to *do*: a prompt, and candidates for the
# action. Its probability for an action of several tokens $a = (a_1, \dots, a_k)$ is a product, so its logarithm is a sum:
#
# $$\log p(a \mid \text{prompt}) = \sum_{j=1}^{k} \log p(a_j \mid \text{prompt}, a_1, \dots, a_{j-1})$$
#
# One run of the model on prompt and action together gives all of them, if you read the right rows: the logits at a position predict the
# token *after* it. With a prompt of 5 tokens (positions 0 to 4) and an action of 3 (positions 5, 6, 7), the rows are 4, 5 and 6.
#
# *Worked number.* If the model gives *go* probability 0.5 and *north* after it 0.2, then $\log p(\texttt{go north}) = \log 0.1 = -2.30$.

# %% [markdown]
# ### Exercise 9 · `action_log_probability` (●●○, 15 minutes, 3 points)
#
# <details><summary>Hint 1</summary>
#
# `torch.cat` makes one row of ids; the model wants a batch dimension, `(1, T)`, and gives logits `(1, T, V)`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Normalise over the vocabulary with `log_softmax`, then pick each token's entry (`gather`, or indexing with two index tensors).
#
# </details>


# %% exercise="action_log_probability"
def action_log_probability(
    model: Callable, prompt_ids: Int[Tensor, "n"], action_ids: Int[Tensor, "k"]
) -> Float[Tensor, ""]:
    """Σ log p(token | prompt, earlier tokens) over the action's tokens;
    `model(ids (1, T))` gives `(logits (1, T, V), loss)`.
    """
    ### BEGIN SOLUTION
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    # the row before each token of the action
    predicting = logits[0, len(prompt_ids) - 1 : -1].log_softmax(dim=-1)
    return predicting.gather(-1, action_ids[:, None]).sum()
    ### END SOLUTION


# %% check="action_log_probability" points=3
check(action_log_probability)

# %% [markdown]
# ### Length is not merit
# Every further token multiplies by a number of at most 1, so an action of many tokens starts with a handicap. It may still win (a model that
# is sure of every token loses little), but *unlock the study door with the key* can lose against *wait* for its length alone. A common
# remedy is to compare the log-probability **per token**, $\frac 1 k \log p(a \mid \text{prompt})$: the mean, not the sum. (It mends
# the handicap of length alone. Actions of the same meaning still share their probability, Holtzman et al. 2021.)
#
# Temperature is as in lesson 07, with these scores as logits: $p(i) \propto \exp(\text{score}_i / \tau)$; $\tau = 0$ takes the best.
#
# *Worked number.* Two candidates: one token with $\log p = -1.2$, three tokens with $\log p = -2.4$. Per token: −1.2 and −0.8; the longer
# one is drawn with probability $\frac{e^{-0.8}}{e^{-0.8} + e^{-1.2}} = 0.60$ at $\tau = 1$.

# %% [markdown]
# ### Exercise 10 · `choose_action` (●●○, 10 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# Collect the scores in one tensor. `torch.multinomial` draws with given probabilities and takes a `generator`; temperature 0 must not be
# divided by.
#
# </details>


# %% exercise="choose_action"
def choose_action(
    model: Callable,
    prompt_ids: Int[Tensor, "n"],
    candidates: Sequence[Int[Tensor, "_"]],
    generator: torch.Generator,
    temperature: float = 0.0,
) -> int:
    """The index of a candidate, by log-probability per token: the best at temperature
    0, else drawn with softmax(score / temperature).
    """
    ### BEGIN SOLUTION
    scores = torch.stack(
        [
            action_log_probability(model, prompt_ids, ids) / len(ids)
            for ids in candidates
        ]
    )
    if temperature == 0:
        return int(scores.argmax())
    return int(
        torch.multinomial(
            (scores / temperature).softmax(dim=-1), 1, generator=generator
        )
    )
    ### END SOLUTION


# %% check="choose_action" points=2
check(choose_action)

# %% [markdown]
# ### Cloning with a wish
# What should the policy learn from? All we have is random play, and a clone of random play plays at random. The *Decision Transformer*
# (Chen et al. 2021) has a way out: write before every step the **return to go**, the sum of the rewards from this step's own to the end of
# the episode. The model then learns what a player does *whose episode is about to bring this much*. At test time you write the return that
# you want.
#
# $$\hat R_t = \sum_{k \ge 0} \gamma^k\, r_{t+k+1}$$
#
# *Worked number.* Rewards −0.1, +0.4, +0.9 with $\gamma = 1$: the returns to go are +1.2, +1.3 and +0.9.

# %% [markdown]
# ### Exercise 11 · `return_conditioned` (●●○, 10 minutes, 1.5 points)
#
# <details><summary>Hint 1</summary>
#
# From the last step backwards, each return to go is the step's own reward plus $\gamma$ times the next one's.
#
# </details>


# %% exercise="return_conditioned"
def return_conditioned(
    episodes: Sequence[Sequence[tuple[str, str, float]]], gamma: float = 1.0
) -> list[str]:
    """One text for each episode of (obs, action, reward) steps; `reward` is what the
    action brought.

    Each step becomes `<rtg> {return to go:+.1f} <obs> {obs} <act> {action}`; steps are
    joined by a space (Chen et al. 2021).
    """
    ### BEGIN SOLUTION
    texts = []
    for episode in episodes:
        steps, to_go = [], 0.0
        for obs, action, reward in reversed(episode):
            to_go = reward + gamma * to_go
            steps.append(f"<rtg> {to_go:+.1f} <obs> {obs} <act> {action}")
        texts.append(" ".join(reversed(steps)))
    return texts
    ### END SOLUTION


# %% check="return_conditioned" points=1.5
check(return_conditioned)

# %% [markdown]
# ## 6 · Four players
#
# All learn from the same random play, and all see only text:
#
# - **random**: takes any action;
# - **clone**: your `choose_action` with a model trained on your `return_conditioned` lines (one step per line, since an observation is a
#   state). Its wish is the highest return to go that the play has seen from where it stands. It draws at temperature 0.5: every action here
#   has two words, so score / 0.5 is the action's whole log-probability, and the draw follows the model's own policy;
# - **planner in the learned world**: your `plan_action` in the GPT's imagination, with random rollouts;
# - **planner in the true world**: the same, but the house itself answers, so that no error of a model is left.
#
# How well can one play? From the hall the best path brings 0.6, from the kitchen and from the garden 0.7: a mean of 0.667. A planner with
# random rollouts would not get there even with infinitely many of them. Being greedy on $Q^{\text{random}}$ is *one* step of policy improvement
# from random play, and one step is not optimal: from the kitchen it takes the key straight to the study and leaves the apple, because it
# judges everything that would come after the apple by random play. The next cell computes this from the house's table, without any sampling.
# The second step (greedy on the values of the first) is optimal. (All this is for rollouts of 10 steps and $\gamma = 0.95$. Rollouts of
# at most 4 steps never see the treasure, which is at least 5 steps away, and then no number of improvements finds it. With rollouts of 5 to 7
# steps the second improvement is optimal, too, but the later ones fall back to 0.6: with the apple the treasure is 9 steps from the hall, and an
# end that no rollout reaches counts for nothing. With rollouts of 20 steps the first improvement brings no more than 0.533. And with $\gamma = 0.8$
# none goes beyond 0.6: so strongly discounted, the apple is not worth the three steps more.)
#
# Why not simply ask the clone for +0.6, less what it has collected? Of the episodes of random play {measured:players.good_episodes:.1%} brought
# so much, so the model would have to guess what it has hardly seen. We tried it: {measured:players.asked_for_the_best:+.2f}, worse than random
# play's {measured:players.random:+.2f}. Return conditioning works as far as the data cover the returns that one asks for (Brandfonbrener et
# al. 2022).

# %%
DEPTH, GAMMA, ROLLOUTS, MAX_STEPS = 10, 0.95, 25, 25


def improved(policy: Tensor, depth: int = DEPTH, gamma: float = GAMMA) -> Tensor:
    """The policy `(S, A)` that is greedy on the exact values of `policy`, looking `depth` steps ahead: one step of policy improvement."""
    table = house.to_mdp()
    possible = table.reward > -999
    reward, q = table.reward.where(possible, 0.0), torch.zeros_like(table.reward)
    for _ in range(depth):
        value = (policy * q).sum(dim=1).masked_fill(table.terminal, 0.0)
        q = reward + gamma * table.transition @ value
    return F.one_hot(q.masked_fill(~possible, -torch.inf).argmax(dim=1), q.shape[1]).double()


def returns_from_each_start(policy: Tensor) -> list[float]:
    """The exact expected returns of `policy` from the hall, the kitchen and the garden in at most `MAX_STEPS` steps, without a discount."""
    table = house.to_mdp()
    value = torch.zeros(len(table.terminal), dtype=torch.float64)
    for _ in range(MAX_STEPS):
        q = table.reward + table.transition @ value
        value = (policy * q).sum(dim=1).masked_fill(table.terminal, 0.0)
    return value[:3].tolist()


def random_play_policy() -> Tensor:
    possible = (house.to_mdp().reward > -999).double()
    return possible / possible.sum(dim=1, keepdim=True)


# %% tags=["experiment"]
policy = random_play_policy()
for name in ("random play", "improved once", "improved twice", "three times"):
    starts = returns_from_each_start(policy)
    print(f"{name:15}" + "".join(f"{room} {value:+.2f}   " for room, value in zip(("hall", "kitchen", "garden"), starts)) + f"mean {sum(starts) / 3:+.3f}")
    policy = improved(policy)


# %%
def random_policy(seed: int) -> Callable[[str], str]:
    source = torch.Generator().manual_seed(seed)

    def policy(obs: str) -> str:
        possible = house.actions(obs)
        return possible[int(torch.rand((), generator=source) * len(possible))]

    return policy


def true_world(seed: int) -> Callable[[str, str], Outcome]:
    source = torch.Generator().manual_seed(seed)
    return lambda obs, action: tuple(house.draw(obs, action, source)[1:])


def planner(sample: Callable[[str, str], Outcome], seed: int) -> Callable[[str, float], str]:
    policy = random_policy(seed)
    return lambda obs, collected: plan_action(sample, policy, obs, house.actions(obs), ROLLOUTS, DEPTH, GAMMA)[0]


def train_clone(episodes, seed: int) -> tuple[WorldModel, dict[str, float]]:
    """The cloned policy, and the highest return to go that was seen from each observation: what one may wish for."""
    texts = return_conditioned([[step[:3] for step in episode] for episode in episodes])
    lines = ["<rtg>" + piece for text in texts for piece in text.split("<rtg>")[1:]]
    wishes = {}
    for line in lines:
        number, obs = line.removeprefix("<rtg> ").split(" <act> ")[0].split(" <obs> ")
        wishes[obs] = max(float(number), wishes.get(obs, float(number)))
    return train_on(lines, "<act>", seed, batch=32), wishes


def clone(model: WorldModel, wishes: dict[str, float], seed: int, temperature: float = 0.5) -> Callable[[str, float], str]:
    source = torch.Generator().manual_seed(seed)

    def decide(obs: str, collected: float) -> str:
        possible = house.actions(obs)
        prompt = words.encode(f"<rtg> {wishes.get(obs, 0.0):+.1f} <obs> {obs} <act>")
        with torch.no_grad():
            return possible[choose_action(model, prompt, [words.encode(a) for a in possible], source, temperature)]

    return decide


def play(sample: Callable[[str, str], Outcome], decide: Callable[[str, float], str], start: str) -> float:
    """The undiscounted return of an episode of at most `MAX_STEPS` steps, with `sample` in the world's part."""
    obs, collected = start, 0.0
    for _ in range(MAX_STEPS):
        outcome = sample(obs, decide(obs, collected))
        if outcome is None:
            break
        reward, obs, ended = outcome
        collected += reward
        if ended:
            break
    return collected


def mean_return(sample, decide, episodes: int) -> float:
    """Over episodes that begin in the hall, the kitchen and the garden in turn."""
    starts = house.observations()[:3]
    return sum(play(sample, decide, starts[i % 3]) for i in range(episodes)) / episodes


# %% tags=["experiment"]
def compare_players(seed: int = 0) -> dict[str, float]:
    play_of_random = random_play(House(), SIZES[-1], torch.Generator().manual_seed(100 + seed))
    world, policy = true_world(seed), random_policy(seed)
    return {
        "random": mean_return(world, lambda obs, collected: policy(obs), 90),
        "clone with a wish": mean_return(world, clone(*train_clone(play_of_random, seed), seed), 60),
        "planner, learned world": mean_return(world, planner(Imagination(worlds[SIZES[-1]], seed), seed), 9),
        "planner, true world": mean_return(world, planner(true_world(seed + 1), seed), 9),
    }


players = attempt(compare_players)
if players:
    for name, value in players.items():
        print(f"{name:24} {value:+.2f}")

# %% [markdown]
# ## 7 · Imagined and real
#
# Lesson 01 named two sources of error of planning in a learned model. Here they are again, in words this time.
#
# 1. **The model is wrong.** It has not seen, or not learned, what happens. Then a planner that trusts it is planning for another world.
# 2. **The plan is wrong even for the model.** Few rollouts make $\hat Q$ a noisy estimate; and even exact values of random play are only
#    one step of improvement.
#
# To tell them apart, play every episode twice with the same planner: once with the model in the world's part (the **imagined** return),
# once in the house (the **real** one). A gap between the two shows the first error. The second is the gap between the planner in the
# *true* world and the best possible 0.667.


# %% tags=["experiment"]
def plan_twice(model: WorldModel, seed: int = 0, episodes: int = 6) -> tuple[float, float]:
    """The same planner's mean return in the model's world and in the house."""
    imagine = Imagination(model, seed)
    decide = planner(imagine, seed)
    return mean_return(imagine, decide, episodes), mean_return(true_world(seed), decide, episodes)


def imagined_and_real(seed: int = 0) -> dict[int, tuple[float, float]]:
    return {n: plan_twice(model, seed) for n, model in worlds.items()}


returns = attempt(imagined_and_real)
if returns:
    print("steps of play   imagined    real")
    for n, (imagined, real) in returns.items():
        print(f"{n:13}   {imagined:+8.2f}   {real:+5.2f}")


# %% tags=["figure"]
def draw_errors(figure):
    left, right = figure.subplots(1, 2)
    left.plot(SIZES, [errors[n]["never tried"] for n in SIZES], "--", color=plots.GREY, label="never tried in the play")
    for name, ink in (("wrong", plots.BLUE), ("impossible", plots.GREEN), ("malformed", plots.ORANGE)):
        left.plot(SIZES, [errors[n][name] for n in SIZES], "o-", color=ink, label=name)
    left.plot(SIZES[-1], twice[1]["wrong"], "*", color=plots.BLUE, markersize=11, label="wrong, trained twice as long")
    left.set(xscale="log", xlabel="steps of random play", ylabel="share of outcomes", title="What the model says", ylim=(-0.02, None))
    right.plot(SIZES, [returns[n][0] for n in SIZES], "o--", color=plots.PURPLE, label="planner, imagined")
    right.plot(SIZES, [returns[n][1] for n in SIZES], "o-", color=plots.BLUE, label="planner, real")
    colours = (plots.GREY, plots.ORANGE, plots.GREEN)
    for (name, value), ink in zip([(k, v) for k, v in players.items() if "learned" not in k], colours):
        right.axhline(value, color=ink, linewidth=1.2, label=name.split(",")[0] if "true" not in name else "planner, true world")
    right.axhline(2 / 3, color=plots.RED, linestyle=":", linewidth=1.2, label="best possible")
    right.set(xscale="log", xlabel="steps of random play", ylabel="mean return of 6 episodes", title="What the planner gets")
    for ax in (left, right):
        ax.set_xticks(SIZES, [str(n) for n in SIZES])
        ax.minorticks_off()
    left.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(0.34, 1.0))
    right.legend(fontsize=7.5, loc="center left", bbox_to_anchor=(1.0, 0.6))


plots.show(
    draw_errors,
    alt="Against 50 to 3,200 steps of play. Left: the share of wrong outcomes falls along with the share of questions never tried, and "
    "stays a little above zero when that is zero; a star close to zero for the model that was trained twice as long. Right: the planner's "
    "real return begins below random play, rises with more play and wavers, beside lines for the planner in the true world, the best "
    "possible above it, and the clone and random play below it; what the planner imagines begins far above what it gets",
    width=8.4,
    height=3.2,
)

# %% [markdown]
# **What we measured**: means of {measured:worlds.seeds} seeds, with the least and the largest (returns of {measured:worlds.budget.episodes} episodes each).
#
# | steps of play | questions never tried | wrong outcomes | wrong, where tried | imagined return | real return |
# | --- | --- | --- | --- | --- | --- |
# | 50 | {measured:worlds.50.never_tried:.0%} | {measured:worlds.50.wrong:.0%} | {measured:worlds.50.wrong,_if_tried:.1%} | {measured:worlds.50.imagined:+.2f} ({measured:worlds.50.imagined.range:+.2f}) | {measured:worlds.50.real:+.2f} ({measured:worlds.50.real.range:+.2f}) |
# | 200 | {measured:worlds.200.never_tried:.0%} | {measured:worlds.200.wrong:.0%} | {measured:worlds.200.wrong,_if_tried:.1%} | {measured:worlds.200.imagined:+.2f} ({measured:worlds.200.imagined.range:+.2f}) | {measured:worlds.200.real:+.2f} ({measured:worlds.200.real.range:+.2f}) |
# | 800 | {measured:worlds.800.never_tried:.0%} | {measured:worlds.800.wrong:.0%} | {measured:worlds.800.wrong,_if_tried:.1%} | {measured:worlds.800.imagined:+.2f} ({measured:worlds.800.imagined.range:+.2f}) | {measured:worlds.800.real:+.2f} ({measured:worlds.800.real.range:+.2f}) |
# | 3,200 | {measured:worlds.3200.never_tried:.0%} | {measured:worlds.3200.wrong:.0%} | {measured:worlds.3200.wrong,_if_tried:.1%} | {measured:worlds.3200.imagined:+.2f} ({measured:worlds.3200.imagined.range:+.2f}) | {measured:worlds.3200.real:+.2f} ({measured:worlds.3200.real.range:+.2f}) |
# | 3,200, trained twice as long | {measured:longer.never_tried:.0%} | {measured:longer.wrong:.1%} | {measured:longer.wrong,_if_tried:.1%} | | |
#
# - **Data, then training.** After 50 steps of play more than four in five wrong outcomes are ones that the play never showed. (With half as many training steps they are still
#   more than half, but then {measured:shorter.50.wrong,_if_tried:.0%} of the outcomes that the play did show are wrong, too, and {measured:shorter.3200.wrong,_if_tried:.0%} after 3,200.)
#   After 200 steps it depends on the seed which of the two kinds is the more frequent. After 800 every question had been tried
#   in these runs (another seed can leave a few), and more play changes little. What is left after 3,200 steps is a matter of training: twice the training steps on the same play leave
#   {measured:longer.wrong:.1%} wrong instead of {measured:worlds.3200.wrong:.1%}. Most of what is left is *impossible*
#   ({measured:worlds.3200.impossible:.1%}), so the agent, who knows the state space, can drop it. An error that reads like a real situation could not be caught this way.
# - **The first error: imagined against real.** After 50 steps the planner expects a good return in a world that does not exist, and on
#   average gets one as bad as random play's. After 200 steps much depends on which questions were left out: with five seeds more the planner imagines
#   {measured:other_lives.imagined:+.2f} and gets {measured:other_lives.real:+.2f} ({measured:other_lives.real.range:+.2f}), where the five of the table get {measured:worlds.200.real:+.2f}. Once everything was tried the plans are
#   mostly good (six episodes are few, and a single run can have much less, also with the same seed on another processor, which rounds in
#   another way and so trains another model).
#   Now the *imagined* return is the lower one in most runs, because imagined episodes break off at outcomes that cannot be used: in {measured:promises.seeds} runs after
#   3,200 steps {measured:promises.once.broken_off:.0%} of them did. The others were imagined to bring {measured:promises.once.whole:+.2f}, and the house gave
#   {measured:promises.once.real:+.2f} on average. That is training, too: after twice the training steps {measured:promises.twice.broken_off:.0%} break off, and
#   {measured:promises.twice.imagined:+.2f} is imagined and {measured:promises.twice.real:+.2f} got; after half of them {measured:promises.half.broken_off:.0%} did
#   (with other seeds it can be fewer), and which of the two returns is lower depends on the run. *Which* way a wrong model errs cannot be told from inside; only the real world can tell.
# - **The second error: the plan.** With no error of a model at all, the planner in the true world gets {measured:players.true_world:+.2f}
#   ({measured:players.true_world.range:+.2f}). With 100 rollouts for each action instead of 25 it gets {measured:players.true_world,_100_rollouts:+.2f}: so much was noise. The rest, up
#   to the best possible +0.667, is that one step of improvement is not the last.
# - Random play got {measured:players.random:+.2f}, the clone {measured:players.clone:+.2f} ({measured:players.clone.range:+.2f}).

# %% [markdown]
# ## Written question (3 points, graded by a person)
#
# A company lets a GPT of 50,257 tokens plan customer support: the state is the conversation so far, an action is a reply, a second GPT
# trained on old conversations plays the customer, and a satisfaction score comes at the end.
#
# 1. Name the state, action, transition and reward on both levels (token and reply). On which level is the transition known?
# 2. The planner's imagined scores are excellent, real customers are unhappy. Which of the two sources of error can explain this, and why does
#    *planning harder* (more rollouts) not help, and may hurt? Name one measurement that would show it.
# 3. The replies are ranked by $\log p(\text{reply} \mid \text{conversation})$ summed over tokens. What will the agent sound like, and
#    what does dividing by the length change?
#
# About 150 words.

# %% [markdown] question="written_question" points=3
# ### BEGIN SOLUTION
# **Model answer.** (1) Token level: the state is the whole text so far (not the last token), an action is one token, the transition
# appends it and is known and certain, the reward is 0 until the text is complete. Reply level: the state is the conversation, an action
# is a whole reply, the transition is what the customer answers and is unknown, so it is learned; the reward is the score at the end.
# (2) The first: the customer model is wrong, most of all where old conversations say nothing about the replies that the planner tries.
# A planner searches for what scores well *in the model*, so it finds the model's mistakes and exploits them. More rollouts reduce the second error, the noise of
# the estimate, and so make the choice of these mistakes surer. Measurement: imagined against real return of the same policy, or the error rate
# of the customer model on the pairs that the planner visits. (3) Each token can only lower the sum, so short replies ("OK.") have an
# advantage, whatever they say. Per token, length alone no longer decides; but a mean can favour long replies whose tail is predictable.
#
# **Rubric**
# - 1 point: both levels right, and the transition is known on the token level only. Half a point if the token state is the last token.
# - 1 point: model error, **and** that the planner seeks out the model's mistakes, **and** a fitting measurement. Half a point if one is missing.
# - 1 point: the sum favours short replies; per token removes that, with a remark on what it leaves. Half a point without the second.
# ### END SOLUTION

# %% [markdown]
# ## Stretch · Dyna with the language model (ungraded)
#
# Planning at every decision forgets everything it worked out. *Dyna* (Sutton 1990) keeps it, in action values: every real step updates
# $Q$ by Q-learning, and after it the model imagines `planning_steps` more steps, each from a pair that was tried before, and updates $Q$
# from them in the same way.
#
# $$Q(s, a) \leftarrow Q(s, a) + \alpha \left( r + \gamma \max_{a'} Q(s', a') - Q(s, a) \right), \qquad \max = 0 \text{ after the end}$$
#
# Lesson 01's Dyna asked a table. Here the language model answers, so an imagined step may be `None`; it teaches nothing, but counts among
# the `planning_steps`. Values not in the dict are 0.
#
# ### `language_dyna` (●●●, 30 minutes, no points)
#
# <details><summary>Hint 1</summary>
#
# Write the update once, as an inner function of one step, real or imagined.
#
# </details>


# %% exercise="language_dyna" tags=["stretch"]
def language_dyna(
    steps: Sequence[tuple[str, str, float, str, bool]],
    sample: Callable[[str, str], Outcome],
    actions: Callable[[str], Sequence[str]],
    planning_steps: int,
    alpha: float,
    gamma: float,
    generator: torch.Generator,
) -> dict[tuple[str, str], float]:
    """Q of (obs, action) after these real steps, in order, each followed by
    `planning_steps` imagined ones (Sutton 1990).

    An imagined step starts from a pair drawn uniformly, with `generator`, from the
    different pairs tried so far. `actions(obs)` lists what can be done in `obs`.
    """
    ### BEGIN SOLUTION
    q, tried = {}, []

    def update(obs, action, reward, next_obs, terminated):
        best = (
            0.0
            if terminated
            else max(q.get((next_obs, a), 0.0) for a in actions(next_obs))
        )
        old = q.get((obs, action), 0.0)
        q[obs, action] = old + alpha * (reward + gamma * best - old)

    for obs, action, reward, next_obs, terminated in steps:
        update(obs, action, reward, next_obs, terminated)
        if (obs, action) not in tried:
            tried.append((obs, action))
        for _ in range(planning_steps):
            pick = int(torch.randint(len(tried), (), generator=generator))
            outcome = sample(*tried[pick])
            if outcome is not None:
                update(*tried[pick], *outcome)
    return q
    ### END SOLUTION


# %% check="language_dyna" points=0
check(language_dyna)


# %% tags=["experiment"]
REAL_STEPS = 150


def dyna_return(steps: list, sample: Callable[[str, str], Outcome], planning_steps: int, seed: int) -> float:
    """The mean real return of being greedy on what Dyna learned from these steps."""
    q = language_dyna(steps, sample, house.actions, planning_steps, 0.5, GAMMA, torch.Generator().manual_seed(seed))
    return mean_return(true_world(0), lambda obs, _: max(house.actions(obs), key=lambda a: q.get((obs, a), -1.0)), 3)


def one_life(seed: int) -> dict[str, float]:
    """The returns that `REAL_STEPS` real steps lead to: without a model, in the world of a model of just these steps, and by replaying them."""
    steps = played(REAL_STEPS, seed)
    model = Imagination(train_world(REAL_STEPS, seed), seed)
    happened = {step[:2]: step[2:] for step in steps}
    return {
        "no imagined steps": dyna_return(steps, model, 0, seed),
        "20 imagined after each": dyna_return(steps, model, 20, seed),
        "20 replayed after each": dyna_return(steps, lambda obs, action: happened[obs, action], 20, seed),
    }


lives = attempt(lambda: [one_life(seed) for seed in range(3)])
if lives:
    for name in lives[0]:
        print(f"{REAL_STEPS} real steps, {name:24}" + "".join(f"{life[name]:+8.2f}" for life in lives))

# %% [markdown]
# Here the model is trained on the 150 real steps that this life had, and on nothing else. Over {measured:lives.seeds} lives the mean return was
# {measured:lives.no_imagined_steps:+.2f} without imagined steps ({measured:lives.no_imagined_steps.range:+.2f}), {measured:lives.20_imagined_after_each:+.2f}
# with 20 after each real one, and {measured:lives.20_replayed_after_each:+.2f} when the 20 are not imagined but *replayed* from memory. So planning makes
# much more of the same experience, if this holds enough: with 20 replayed steps after each, {measured:replays.75.found:.0%} of {measured:replays.seeds} lives
# of 75 real steps find the best or nearly the best way, {measured:replays.150.found:.0%} of those of 150, and {measured:replays.300.found:.0%} of those of 300.
# But in this house it is not the language model that does it: imagined steps start from pairs that were tried, and
# what happened there one can simply remember, as nothing is left to chance. Memory is never wrong about them; a model can be, and then imagining is
# worse. A model can be worth more than memory where outcomes are random, or where it answers
# rightly about pairs that were never tried.

# %% [markdown]
# ## Stretch · a tree search that asks two language models (ungraded)
#
# The planner of section 6 stops at one step of improvement: it judges every action by what *random* play makes of it, and spends as many
# model calls on a bad action as on a good one. **Monte Carlo tree search** mends both. It keeps what it learns about the places behind the first action,
# in a tree, and from each place it goes on with the action that looks best by now. A simulation has four parts:
#
# 1. **selection**: from the root, choose an action, ask the model what happens, and go on from there, as long as the place is in the tree;
# 2. **expansion**: a place that is new gets a node;
# 3. **evaluation**: what is it worth? Here one random rollout says so, as in section 4;
# 4. **backup**: every action on the way counts one visit more, and adds the return from there on to its sum.
#
# RAP (Hao et al. 2023) plans like this with a language model in both parts: it proposes the actions, and it says what happens. There the selection is UCT
# (Kocsis and Szepesvári 2006), which in its plain form tries every action first. AlphaGo Zero (Silver et al. 2017) asks a **prior** which of them are worth a
# try, with a rule named PUCT. At a place let action $a$ have the prior probability $P(a)$, $N(a)$ visits, and the sum $W(a)$ of the returns from
# them:
#
# $$\arg\max_a \; Q(a) + c\,P(a)\,\frac{\sqrt{1 + \sum_b N(b)}}{1 + N(a)}, \qquad Q(a) = \frac{W(a)}{N(a)}, \text{ and } 0 \text{ where } N(a) = 0$$
#
# The second term asks for actions that the prior likes and that were seldom tried; it shrinks with each try. The 1 under the root is not in
# the paper's formula, where at a fresh place both terms are 0 and the prior says nothing; the published code of AlphaZero (Silver et al.
# 2018) counts a place's own visit (save at the root), and so do we.
#
# *Worked number.* $P = (0.5, 0.3, 0.2)$, $N = (3, 5, 0)$, $W = (0.6, 2.0, 0)$. So $Q = (0.2, 0.4, 0)$, the root is $\sqrt 9 = 3$, and with
# $c = 1$ the scores are $0.2 + 0.375 = 0.575$, $0.4 + 0.15 = 0.55$ and $0 + 0.6 = 0.6$: the third action, which was never tried. With $c = 0.5$
# they are 0.3875, 0.475 and 0.3: the second.
#
# ### `puct_choice` (●●○, 15 minutes, no points)
#
# <details><summary>Hint 1</summary>
#
# The mean of no returns is 0/0. Which number in the place of $N$ makes it 0, and changes nothing elsewhere?
#
# </details>


# %% exercise="puct_choice" tags=["stretch"]
def puct_choice(
    priors: Float[Tensor, "A"],
    visits: Int[Tensor, "A"],
    totals: Float[Tensor, "A"],
    c: float,
) -> int:
    """The number of the action to try next, a plain int: the one with the largest
    Q + c · P · √(1 + ΣN) / (1 + N), the first among equals (Silver et al. 2017).

    `totals` are sums of returns over the visits; Q = totals / visits, and 0 for an
    action without visits.
    """
    ### BEGIN SOLUTION
    values = totals / visits.clamp(min=1)
    urge = c * priors * (1 + visits.sum()).to(priors.dtype).sqrt() / (1 + visits)
    return int((values + urge).argmax())
    ### END SOLUTION


# %% check="puct_choice" points=0
check(puct_choice)


# %% tags=["figure"]
def draw_puct(figure):
    priors, worth = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64), torch.tensor([0.2, 0.5, 0.1], dtype=torch.float64)
    visits, history = torch.zeros(3, dtype=torch.int64), []
    for _ in range(100):
        visits[puct_choice(priors, visits, visits * worth, 4.0)] += 1
        history.append(visits.clone())
    ax = figure.subplots()
    for a, ink in enumerate((plots.ORANGE, plots.BLUE, plots.GREY)):
        ax.plot(range(1, 101), [int(v[a]) for v in history], color=ink, label=f"prior {priors[a]:.1f}, worth {worth[a]:.1f}")
    ax.set(xlabel="visits of the place", ylabel="visits of the action")
    ax.legend()


plots.show(
    draw_puct,
    alt="Visits of three actions against all visits, chosen by your rule with c = 4: the action with the largest prior leads for some seventy "
    "visits, then the one with the largest value overtakes it; the third is tried a few times",
    width=6.0,
    height=2.9,
)

# %% [markdown]
# The prior decides at first, the values later. Now the whole search. Its prior is the clone of section 6, which your `action_log_probability` asks
# for its opinion, and its world is whatever answers: the house, or the GPT of section 3. Like the planner of section 6 it makes new random
# rollouts, of at most the same depth, and it may use a fixed number of **calls** of the model for each decision, however it spends them.
# The rollouts' rival gets the same number: its actions take turns.


# %%
EXPLORE = 2.0  # the c of every search here


class Node:
    """A place in the tree: what can be done there, what the prior says, and the visits and returns of each action so far."""

    def __init__(self, obs: str, prior: Callable[[str], Tensor]) -> None:
        self.obs, self.actions, self.priors = obs, house.actions(obs), prior(obs)
        self.visits, self.totals = torch.zeros(len(self.actions), dtype=torch.int64), torch.zeros_like(self.priors)
        self.after: dict[tuple[int, str], Node] = {}  # by the action's number and what one sees next


class Counted:
    """A model that counts how often it is asked."""

    def __init__(self, sample: Callable[[str, str], Outcome]) -> None:
        self.sample, self.calls = sample, 0

    def __call__(self, obs: str, action: str) -> Outcome:
        self.calls += 1
        return self.sample(obs, action)


def simulate(node: Node, sample: Callable, prior: Callable, policy: Callable, depth: int) -> float:
    """One simulation from `node` on: its return, which is also added up in the tree."""
    i = puct_choice(node.priors, node.visits, node.totals, EXPLORE)
    outcome, total = sample(node.obs, node.actions[i]), 0.0
    if outcome is not None:
        total, obs, ended = outcome
        if not ended and depth > 1 and (i, obs) in node.after:
            total += GAMMA * simulate(node.after[i, obs], sample, prior, policy, depth - 1)
        elif not ended and depth > 1:
            node.after[i, obs] = Node(obs, prior)
            total += GAMMA * rollout_return(sample, policy, obs, policy(obs), depth - 1, GAMMA)
    node.visits[i] += 1
    node.totals[i] += total
    return total


def tree_search(sample: Callable, prior: Callable, seed: int, calls: int) -> Callable[[str, float], str]:
    """A player that spends `calls` calls of `sample` in a tree and takes the action with the most visits."""
    policy = random_policy(seed)

    def decide(obs: str, collected: float) -> str:
        root, counted = Node(obs, prior), Counted(sample)
        while counted.calls < calls:
            simulate(root, counted, prior, policy, DEPTH)
        return root.actions[int(root.visits.argmax())]

    return decide


def flat_search(sample: Callable, seed: int, calls: int) -> Callable[[str, float], str]:
    """A player that spends them on rollouts, an action after the other, and takes the best mean."""
    policy = random_policy(seed)

    def decide(obs: str, collected: float) -> str:
        counted, returns = Counted(sample), {action: [] for action in house.actions(obs)}
        while counted.calls < calls:
            action = min(returns, key=lambda a: len(returns[a]))
            returns[action].append(rollout_return(counted, policy, obs, action, DEPTH, GAMMA))
        return max(returns, key=lambda a: sum(returns[a]) / max(1, len(returns[a])))

    return decide


def clones_prior(model: WorldModel, wishes: dict[str, float]) -> Callable[[str], Tensor]:
    """What the cloned policy thinks of the actions of a place, as probabilities. Asked once for each place."""
    known = {}

    def prior(obs: str) -> Tensor:
        if obs not in known:
            prompt = words.encode(f"<rtg> {wishes.get(obs, 0.0):+.1f} <obs> {obs} <act>")
            with torch.no_grad():
                scores = [action_log_probability(model, prompt, words.encode(action)) for action in house.actions(obs)]
            known[obs] = torch.stack(scores).double().softmax(dim=0)
        return known[obs]

    return prior


def no_prior(obs: str) -> Tensor:
    return torch.full((len(house.actions(obs)),), 1.0, dtype=torch.float64) / len(house.actions(obs))


def compare_searches(prior: Callable, sample: Callable[[int], Callable], budgets: Sequence[int], seed: int) -> dict[str, dict[int, float]]:
    """Mean real returns of nine episodes, by player and calls for each decision; `sample(seed)` is the world that is planned in."""
    priors = {"no prior": no_prior, "the clone as prior": prior, "half the clone": lambda obs: (prior(obs) + no_prior(obs)) / 2}
    players = {"rollouts": lambda calls: flat_search(sample(seed + 1), seed, calls)}
    for name, chosen in priors.items():
        players[f"tree, {name}"] = lambda calls, chosen=chosen: tree_search(sample(seed + 1), chosen, seed, calls)
    return {name: {calls: mean_return(true_world(seed), player(calls), 9) for calls in budgets} for name, player in players.items()}


# %% tags=["experiment"]
BUDGETS = (100, 300, 1000)


def search_the_house(seed: int = 0) -> dict[str, dict[int, float]]:
    """The three searches where the house itself answers."""
    episodes = random_play(House(), SIZES[-1], torch.Generator().manual_seed(100 + seed))
    return compare_searches(clones_prior(*train_clone(episodes, seed)), true_world, BUDGETS, seed)


found = attempt(search_the_house)


# %% tags=["figure"]
def draw_searches(figure):
    ax = figure.subplots()
    for (name, returns), ink in zip(found.items(), (plots.GREY, plots.ORANGE, plots.BLUE, plots.SKY)):
        ax.plot(list(returns), list(returns.values()), "o-", color=ink, label=name)
    ax.axhline(2 / 3, color=plots.RED, linestyle=":", linewidth=1.2, label="best possible")
    ax.set(xscale="log", xlabel="model calls for each decision", ylabel="mean return of 9 episodes")
    ax.set_xticks(BUDGETS, [f"{n:,}" for n in BUDGETS])
    ax.minorticks_off()
    ax.legend(loc="lower right")


plots.show(
    draw_searches,
    alt="Mean return against 100, 300 and 1,000 model calls for each decision, planned in the true house: all rise; with 1,000 calls the tree "
    "with the clone as prior reaches the best possible, and rollouts and the other trees stay below it",
    width=6.4,
    height=3.1,
)

# %% [markdown]
# Mean real returns over {measured:search.seeds} seeds, with the least and the largest (best possible: +0.667). In the last row the GPT of 3,200
# steps of play answers instead of the house. "Half the clone" is the mean of the clone's probabilities and equal ones.
#
# | plans in, calls | rollouts | tree, no prior | tree, the clone | tree, half the clone |
# | --- | --- | --- | --- | --- |
# | the house, 30 | {measured:search.house.rollouts.30:+.2f} ({measured:search.house.rollouts.30.range:+.2f}) | {measured:search.house.tree,_no_prior.30:+.2f} ({measured:search.house.tree,_no_prior.30.range:+.2f}) | {measured:search.house.tree,_the_clone_as_prior.30:+.2f} ({measured:search.house.tree,_the_clone_as_prior.30.range:+.2f}) | {measured:search.house.tree,_half_the_clone.30:+.2f} ({measured:search.house.tree,_half_the_clone.30.range:+.2f}) |
# | the house, 100 | {measured:search.house.rollouts.100:+.2f} ({measured:search.house.rollouts.100.range:+.2f}) | {measured:search.house.tree,_no_prior.100:+.2f} ({measured:search.house.tree,_no_prior.100.range:+.2f}) | {measured:search.house.tree,_the_clone_as_prior.100:+.2f} ({measured:search.house.tree,_the_clone_as_prior.100.range:+.2f}) | {measured:search.house.tree,_half_the_clone.100:+.2f} ({measured:search.house.tree,_half_the_clone.100.range:+.2f}) |
# | the house, 300 | {measured:search.house.rollouts.300:+.2f} ({measured:search.house.rollouts.300.range:+.2f}) | {measured:search.house.tree,_no_prior.300:+.2f} ({measured:search.house.tree,_no_prior.300.range:+.2f}) | {measured:search.house.tree,_the_clone_as_prior.300:+.2f} ({measured:search.house.tree,_the_clone_as_prior.300.range:+.2f}) | {measured:search.house.tree,_half_the_clone.300:+.2f} ({measured:search.house.tree,_half_the_clone.300.range:+.2f}) |
# | the house, 1,000 | {measured:search.house.rollouts.1000:+.2f} ({measured:search.house.rollouts.1000.range:+.2f}) | {measured:search.house.tree,_no_prior.1000:+.2f} ({measured:search.house.tree,_no_prior.1000.range:+.2f}) | {measured:search.house.tree,_the_clone_as_prior.1000:+.2f} ({measured:search.house.tree,_the_clone_as_prior.1000.range:+.2f}) | {measured:search.house.tree,_half_the_clone.1000:+.2f} ({measured:search.house.tree,_half_the_clone.1000.range:+.2f}) |
# | learned world, 300 | {measured:search.learned.rollouts.300:+.2f} ({measured:search.learned.rollouts.300.range:+.2f}) | {measured:search.learned.tree,_no_prior.300:+.2f} ({measured:search.learned.tree,_no_prior.300.range:+.2f}) | {measured:search.learned.tree,_the_clone_as_prior.300:+.2f} ({measured:search.learned.tree,_the_clone_as_prior.300.range:+.2f}) | {measured:search.learned.tree,_half_the_clone.300:+.2f} ({measured:search.learned.tree,_half_the_clone.300.range:+.2f}) |
#
# - **Past one step of improvement.** With 1,000 calls the rollouts get {measured:search.house.rollouts.1000:+.2f}: more of them lead towards the 0.6 of
#   one step. The tree with the clone as prior gets {measured:search.house.tree,_the_clone_as_prior.1000:+.2f}, and the best possible in most runs
#   (with a clone that was trained for twice the steps {measured:search_longer.house.tree,_the_clone_as_prior.1000:+.2f}).
#   It is not the prior's doing alone: whoever simply takes the clone's likeliest action gets {measured:search.prior_alone:+.2f}, for where that is
#   wrong it is wrong for ever. Nor is it the tree's: without a prior it gets {measured:search.house.tree,_no_prior.1000:+.2f}.
#   How much it gets depends on $c$. With half or twice the 2 of these searches the tree with the clone gets past one step, too; with a quarter it
#   hardly does, since it stays with what looks good early. Without a prior, none of these does, on average, and three times the calls do not change that.
# - **A tree needs calls.** With 30 calls for each decision a tree without a prior is worse than rollouts in every run, with 100 still on average: its first
#   means are single rollouts.
# - **A prior can be wrong, and then it can cost.** In one of the runs the clone leaves only {measured:search.least_trust.min:.2f} to the best action somewhere on
#   the way (in the others {measured:search.least_trust.max:.2f} at the most), and with 300 calls the tree that trusts it gets
#   {measured:search.house.tree,_the_clone_as_prior.300.min:+.2f}. Half the trust helps that run ({measured:search.house.tree,_half_the_clone.300.min:+.2f}); with 1,000 calls
#   it costs a little of the best. How little trust there is does not tell the loss: it matters where, and a run with another seed has a place with less
#   and loses nothing. AlphaGo Zero mixes noise into the prior at the root for the same reason: so that every move may be tried.
# - **Here the model is not what is missing.** In the learned world each of the four gets about what it gets in the house (nine episodes are few, and one
#   run of one player can get much less). After twice the training steps, of the clone too, it is the same: the tree with the clone gets
#   {measured:search_longer.learned.tree,_the_clone_as_prior.300:+.2f} in the learned world and {measured:search_longer.house.tree,_the_clone_as_prior.300:+.2f} in the house. So of section 7's two errors the
#   first is small after 3,200 steps of play, and what keeps the returns below the best possible is the second, the plan's. (Where the model is wrong, a search plans for
#   a world that does not exist, too: it asks nobody else.)

# %% [markdown]
# ## Stretch · how far can a rollout be trusted? (nothing to write, ungraded)
#
# A model that errs in one step out of ten has, after ten steps, probably erred. Suppose every outcome is wrong with probability
# $\varepsilon$, whatever came before. Then a rollout of $n$ steps is right from end to end with probability $(1 - \varepsilon)^n$. And its
# *return*? Up to the first wrong outcome, imagined and real rollouts can be taken to be the same; after it, each step can differ by at most the
# range $R$ of a reward. So the mean returns of $n$ steps of the same policy differ by at most
#
# $$\big| \hat G_n - G_n \big| \;\le\; R \sum_{k=1}^{n} \big( 1 - (1 - \varepsilon)^k \big) \;\le\; \tfrac 1 2\, n (n + 1)\, R\, \varepsilon$$
#
# if no question is answered wrongly more often than $\varepsilon$. This is a form of the *simulation lemma* (Kearns and Singh 2002): a one-step error
# counts with the square of the length. In the house $R = 1$: the lowest reward is −0.1, the highest 0.9.
#
# *Worked number.* $\varepsilon = 0.1$, $n = 2$, $R = 1$: $0.1 + 0.19 = 0.29$, and at most $0.3$.
#
# Your `rollout_return` plays random rollouts of 1 to 16 steps in the model, and each outcome is compared with the house's; the real mean is
# exact, from the table. Before you run it: the model of 3,200 steps errs rarely. How many of its rollouts of 16 steps are right?

# %%
LENGTHS = (1, 2, 4, 8, 16)


class Checked:
    """A model that remembers whether all its outcomes were what the house would have said."""

    def __init__(self, sample: Callable[[str, str], Outcome]) -> None:
        self.sample, self.right = sample, True

    def __call__(self, obs: str, action: str) -> Outcome:
        outcome = self.sample(obs, action)
        self.right = self.right and outcome == tuple(house.outcomes(obs, action)[0][1:])
        return outcome


def random_return(n: int) -> float:
    """The exact mean return of `n` steps of random play, without a discount, over the three starts."""
    table, policy = house.to_mdp(), random_play_policy()
    value = torch.zeros(len(table.terminal), dtype=torch.float64)
    for _ in range(n):
        value = (policy * (table.reward + table.transition @ value)).sum(dim=1).masked_fill(table.terminal, 0.0)
    return float(value[:3].mean())


def lemma(epsilon: float, n: int) -> float:
    """How far the mean returns of `n` steps can differ, where no outcome is wrong with a higher probability than `epsilon` and R is 1."""
    return sum(1 - (1 - epsilon) ** k for k in range(1, n + 1))


def one_step_errors(model: WorldModel, seed: int, draws: int = 20) -> list[float]:
    """The share of wrong outcomes of every question."""
    imagine, truth = Imagination(model, seed), House()
    answers = {question: tuple(truth.outcomes(*question)[0][1:]) for question in QUESTIONS}
    return [transition_error_rate([(imagine(*question), true) for _ in range(draws)]) for question, true in answers.items()]


def by_length(model: WorldModel, seed: int, rollouts: int = 300) -> dict[int, dict[str, float]]:
    """Of random rollouts of each length: what share is right from end to end, and by how much the mean return is off."""
    imagine, policy, starts, found = Imagination(model, seed), random_policy(seed), house.observations()[:3], {}
    for n in LENGTHS:
        right, total = 0, 0.0
        for obs in starts * (rollouts // 3):
            checked = Checked(imagine)
            total += rollout_return(checked, policy, obs, policy(obs), n, 1.0)
            right += checked.right
        found[n] = {"right": right / rollouts, "off": abs(total / rollouts - random_return(n))}
    return found


# %% tags=["experiment"]
SHOWN = (200, 3200)


def follow_rollouts() -> dict[int, tuple[list[float], dict[int, dict[str, float]]]]:
    """For two models of section 3: the error of every question, and what becomes of rollouts by their length."""
    return {size: (one_step_errors(worlds[size], 5), by_length(worlds[size], 6)) for size in SHOWN}


lengths = attempt(follow_rollouts)


# %% tags=["figure"]
def draw_lengths(figure):
    left, right = figure.subplots(1, 2)
    for size, ink in zip(SHOWN, (plots.ORANGE, plots.BLUE)):
        wrong, runs = lengths[size]
        mean = sum(wrong) / len(wrong)
        left.plot(LENGTHS, [runs[n]["right"] for n in LENGTHS], "o-", color=ink, label=f"{size:,} steps of play")
        left.plot(LENGTHS, [(1 - mean) ** n for n in LENGTHS], ":", color=ink)
        right.plot(LENGTHS, [runs[n]["off"] for n in LENGTHS], "o-", color=ink, label=f"{size:,} steps of play")
        right.plot(LENGTHS, [lemma(max(wrong), n) for n in LENGTHS], "--", color=ink)
    left.set(title="Right from end to end", ylabel="share of rollouts", ylim=(0, 1.03))
    right.set(title="The mean return is off by", yscale="log", ylabel="reward")
    for ax in (left, right):
        ax.set(xscale="log", xlabel="steps of a rollout")
        ax.set_xticks(LENGTHS, [str(n) for n in LENGTHS])
        ax.minorticks_off()
    left.legend(fontsize=8)


plots.show(
    draw_lengths,
    alt="Against the length of a rollout, for models of 200 and of 3,200 steps of play. Left: the share that is right from end to end falls; dotted, what "
    "equal errors in every step would give. Right: the error of the mean return grows; dashed, the bound of the simulation lemma, far above it",
    width=8.0,
    height=3.1,
)

# %% [markdown]
# Means over {measured:lengths.seeds} seeds. "Foretold" (dotted in the figure) is $(1 - \varepsilon)^n$ with the mean error of all questions, "off" the error of
# the mean return, "bound" (dashed) the lemma's, with the largest error of a question.
#
# | length | 200 steps of play: right | foretold | off | bound | 3,200 steps: right | foretold | off | bound |
# | --- | --- | --- | --- | --- | --- | --- | --- | --- |
# | 1 | {measured:lengths.200.1.right:.0%} | {measured:lengths.200.1.foretold:.0%} | {measured:lengths.200.1.off:.3f} | {measured:lengths.200.1.bound:.1f} | {measured:lengths.3200.1.right:.0%} | {measured:lengths.3200.1.foretold:.0%} | {measured:lengths.3200.1.off:.3f} | {measured:lengths.3200.1.bound:.1f} |
# | 4 | {measured:lengths.200.4.right:.0%} | {measured:lengths.200.4.foretold:.0%} | {measured:lengths.200.4.off:.3f} | {measured:lengths.200.4.bound:.1f} | {measured:lengths.3200.4.right:.0%} | {measured:lengths.3200.4.foretold:.0%} | {measured:lengths.3200.4.off:.3f} | {measured:lengths.3200.4.bound:.1f} |
# | 8 | {measured:lengths.200.8.right:.0%} | {measured:lengths.200.8.foretold:.0%} | {measured:lengths.200.8.off:.3f} | {measured:lengths.200.8.bound:.1f} | {measured:lengths.3200.8.right:.0%} | {measured:lengths.3200.8.foretold:.0%} | {measured:lengths.3200.8.off:.3f} | {measured:lengths.3200.8.bound:.1f} |
# | 16 | {measured:lengths.200.16.right:.0%} | {measured:lengths.200.16.foretold:.0%} | {measured:lengths.200.16.off:.3f} | {measured:lengths.200.16.bound:.1f} | {measured:lengths.3200.16.right:.0%} | {measured:lengths.3200.16.foretold:.0%} | {measured:lengths.3200.16.off:.3f} | {measured:lengths.3200.16.bound:.1f} |
#
# - **Small errors add up.** The model of 3,200 steps answers {measured:lengths.3200.wrong:.1%} of the questions wrongly, and of its rollouts of 16 steps
#   {measured:lengths.3200.16.right:.0%} are right, about as many as foretold. From 4 to 16 steps the error of its mean return grows from {measured:lengths.3200.4.off:.3f} to
#   {measured:lengths.3200.16.off:.3f}: faster than the length. (With 300 rollouts, errors of a few hundredths are noise.)
# - **Here it is the training more than the play.** With twice the training steps the same 3,200 steps of play leave {measured:lengths_longer.3200.wrong:.1%} of the answers wrong, and of
#   the rollouts of 16 steps {measured:lengths_longer.3200.16.right:.0%} are right. Of those of the model of 200 steps it is then {measured:lengths_longer.200.16.right:.0%}
#   ({measured:lengths_longer.200.16.right.range:.0%} in single runs), more than the table has for 3,200 steps.
# - **It matters who asks.** The model of 200 steps is wrong more often, {measured:lengths.200.wrong:.1%}, and yet its rollouts are right more often than
#   foretold. Here random play asks, as in the data that it learned from, and so mostly what it has seen. A planner asks other questions.
# - **The bound is true and far away.** At 16 steps it allows {measured:lengths.3200.16.bound:.1f} where the error is {measured:lengths.3200.16.off:.2f}. It takes every
#   question for as wrong as the worst ({measured:lengths.3200.worst:.0%}; but {measured:lengths.3200.flawless:.0%} were never answered wrongly), every wrong step
#   for as costly as can be, and all errors to point the same way. What it says rightly is the shape: a model need not be very good for one step, and must be
#   for many.

# %% [markdown]
# ## Stretch · chance, and what nobody tried (nothing to write, ungraded)
#
# Two questions are left open. So far every action had *one* outcome; then a memory is as good as a model. `House(stochastic=True)` has chance: the
# lock is stiff (it opens with probability 0.7), and the apple hangs high (you reach it with probability 0.8). A language model that says
# what happens should then say *both* things, each as often as it happens: its answers should be **calibrated**. And a model should be asked
# what a memory cannot answer: eight of the 43 questions, drawn at random, are taken out of the play. What does it say to them? Guess first.

# %%
CHANCY = House(stochastic=True)
CHANCES = [chancy for chancy in QUESTIONS if len(CHANCY.outcomes(*chancy)) == 2]


def learn_chance(seed: int, steps: int = 300, draws: int = 200) -> list[dict[str, float]]:
    """For each question of chance: how often the action succeeds in truth, in the play and by the model, and how often it says a third thing."""
    episodes = random_play(CHANCY, SIZES[-1], torch.Generator().manual_seed(100 + seed))
    imagine, found = Imagination(train_on(lines_of(episodes), "<out>", seed, steps), seed), []
    for question in CHANCES:
        success, failure = (tuple(outcome[1:]) for outcome in CHANCY.outcomes(*question))
        lived = [step[2:] for episode in episodes for step in episode if step[:2] == question]
        said = [imagine(*question) for _ in range(draws)]
        found.append(
            {
                "truth": CHANCY.outcomes(*question)[0].probability,
                "play": lived.count(success) / max(1, len(lived)),
                "model": said.count(success) / draws,
                "third": sum(outcome not in (success, failure) for outcome in said) / draws,
            }
        )
    return found


def leave_out(seed: int, n: int = 8, draws: int = 20) -> tuple[list[float], list[float]]:
    """The shares of right answers to `n` questions that were taken out of the play, and to the others; in the house without chance."""
    order = torch.randperm(len(QUESTIONS), generator=torch.Generator().manual_seed(500 + seed)).tolist()
    unseen = {QUESTIONS[i] for i in order[:n]}
    lines = [format_transition(*step) for step in played(SIZES[-1], seed) if step[:2] not in unseen]
    imagine, truth, right = Imagination(train_on(lines, "<out>", seed), seed), House(), {}
    for question in QUESTIONS:
        true = tuple(truth.outcomes(*question)[0][1:])
        right[question] = 1 - transition_error_rate([(imagine(*question), true) for _ in range(draws)])
    return [right[q] for q in QUESTIONS if q in unseen], [right[q] for q in QUESTIONS if q not in unseen]


# %% tags=["experiment"]
chance, unseen = attempt(learn_chance, 0), attempt(leave_out, 0)


# %% tags=["figure"]
def draw_chance(figure):
    left, right = figure.subplots(1, 2)
    for key, mark, ink in (("truth", "_", "#111827"), ("play", "o", plots.GREY), ("model", "s", plots.BLUE)):
        size = 160 if key == "truth" else 36
        left.scatter(range(len(chance)), [row[key] for row in chance], marker=mark, color=ink, s=size, label=key)
    left.set_xticks(range(len(chance)), [action.replace(" ", "\n") for _, action in CHANCES], fontsize=8)
    left.set(title="How often it succeeds", ylabel="share", ylim=(0, 1))
    left.legend(fontsize=8, loc="lower left")
    for place, (shares, ink) in enumerate(zip(unseen, (plots.ORANGE, plots.BLUE))):
        beside = [place + 0.02 * (i - len(shares) / 2) for i in range(len(shares))]
        right.scatter(beside, sorted(shares), color=ink, s=14)
    right.set_xticks((0, 1), ("8 questions\ntaken out", "35 questions\nin the play"), fontsize=8)
    right.set(title="How often the answer is right", ylabel="share of 20 answers", ylim=(-0.05, 1.05), xlim=(-0.5, 1.7))


plots.show(
    draw_chance,
    alt="Left: for five questions of chance, how often the action succeeds in truth, in the play and by the model, whose shares are near the others but not "
    "equal. Right: each question's share of right answers; those in the play are mostly near 1, those taken out are near 0 or near 1",
    width=8.0,
    height=3.2,
)

# %% [markdown]
# Over {measured:chance.seeds} seeds:
#
# - **Both outcomes, and after much training about as often as they happen.** The model's share of successes is {measured:chance.short.model:.2f} from the truth on
#   average. The play's own share, which a table of counts (lesson 01's `fit_model`) would say, is {measured:chance.short.play:.2f} from it. With twice the training
#   steps the model's is {measured:chance.long.model:.2f} ({measured:chance.long.model.range:.2f} in single runs), with four times {measured:chance_longest.model:.2f}
#   ({measured:chance_longest.model.range:.2f}): then it is about as near as the counts. More steps bring most runs nearer, but not all. *Third* outcomes, which can follow
#   neither from success nor from failure, become fewer in every run: {measured:chance.short.third:.0%} of the answers, {measured:chance.long.third:.0%},
#   {measured:chance_longest.third:.1%}. So for what was tried, a model has to be trained for long to say what counting says at once.
# - **What nobody tried.** To the questions taken out the model answers rightly {measured:chance.unseen:.0%} of the time ({measured:chance.unseen.range:.0%} by seed), to the others
#   {measured:chance.tried:.0%}. A table says nothing at all there. So a language model generalises, but not so that one could rely on it: of the questions taken
#   out, {measured:chance.all_or_nothing:.0%} are nearly always or nearly never answered rightly, and nobody who only reads the answers is told which.

# %% [markdown]
# ## What you have built
#
# The loop is closed. Lesson 01 planned in a table; you have just planned in a language model: experience written as text, a GPT trained on it with the
# loss on its answers, outcomes drawn and read, nonsense counted, rollouts averaged, an action chosen. The same parts, larger, are how
# language agents are built and trained: a policy that scores text, a world that answers in text, and a reward at the end of it.
#
# **Sources.** The lecture: *Attention and Language Modeling*, CSE 291 AI Agents, Prithviraj Ammanabrolu.
#
# - Sutton (1990), *Integrated Architectures for Learning, Planning, and Reacting Based on Approximating Dynamic Programming*, ICML.
# - Williams (1992), *Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning*, Machine Learning 8; Sutton,
#   McAllester, Singh and Mansour (2000), *Policy Gradient Methods for Reinforcement Learning with Function Approximation*, NIPS 12; Schulman
#   et al. (2017), *Proximal Policy Optimization Algorithms*, arXiv.
# - Kocsis and Szepesvári (2006), *Bandit Based Monte-Carlo Planning*, ECML; Silver et al. (2017), *Mastering the Game of Go without Human
#   Knowledge*, Nature 550; Silver et al. (2018), *A General Reinforcement Learning Algorithm that Masters Chess, Shogi, and Go through
#   Self-Play*, Science 362; Hao et al. (2023), *Reasoning with Language Model is Planning with World Model*, EMNLP.
# - Kearns and Singh (2002), *Near-Optimal Reinforcement Learning in Polynomial Time*, Machine Learning 49.
# - Tesauro and Galperin (1996), *On-line Policy Improvement using Monte-Carlo Search*, NIPS 9.
# - Sutton and Barto (2018), *Reinforcement Learning: An Introduction*, 2nd edition, chapter 8.
# - Côté et al. (2018), *TextWorld: A Learning Environment for Text-based Games*.
# - Chen et al. (2021), *Decision Transformer: Reinforcement Learning via Sequence Modeling*, NeurIPS.
# - Brandfonbrener et al. (2022), *When does return-conditioned supervised learning work for offline reinforcement learning?*, NeurIPS.
# - Holtzman et al. (2021), *Surface Form Competition: Why the Highest Probability Answer Isn't Always Right*, EMNLP.

# %% tags=["figure"]
lesson.scoreboard()
