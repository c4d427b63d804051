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
# | | state | action | transition |
# | --- | --- | --- | --- |
# | **token level** | the text written so far | the next token | append it: certain, known |
# | **world level** | an observation, in words | a command, in words | what the world says next: unknown, to be learned |
#
# The first is how a language model is trained by reinforcement (the policy writes, a reward judges the finished text). The second is a
# text game (Côté et al. 2018, *TextWorld*), and the place where a GPT can be more than a policy: it can be the **model of the world**
# $\langle T_\eta, R_\eta \rangle$. You train one on random play, let it play the world's part, and plan in what it imagines.
#
# | | Exercise | Difficulty | Minutes | Points |
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
# ## 1 · The token-level MDP, and a ruler
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
# 50,257 tokens and writes a thousand of them; nobody will ever enumerate that. So the small case is our **ruler**: whatever estimates
# values by sampling (Monte Carlo, or lesson 01's Sarsa and Q-learning) can be held against it.
#
# *Worked number.* Two tokens `a` and `b`, $H = 2$, and reward 1 for `aa`, 3 for `bb`, else 0. The policy writes `a` with
# probability 0.75, whatever came before. $V(\texttt{a}) = 0.75 \cdot 1 = 0.75$, $V(\texttt{b}) = 0.25 \cdot 3 = 0.75$, and
# $V() = 0.75 \cdot 0.75 + 0.25 \cdot 0.75 = 0.75$.

# %% [markdown]
# ### Exercise 1 · `prefix_values` (●●○, 20 minutes, 3 points)
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
    """V^π of every prefix of every text of `horizon` tokens, the empty one `()` and the full texts included.

    `policy(prefix)` gives one probability for each token of `vocabulary`, in its order; `reward(text)` is defined for full texts only.
    """
    ### BEGIN SOLUTION
    values = {text: float(reward(text)) for text in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for prefix in itertools.product(vocabulary, repeat=n):
            chances = policy(prefix)
            values[prefix] = sum(float(p) * values[(*prefix, token)] for token, p in zip(vocabulary, chances))
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
    right.set(title="Error against the ruler", xlabel="texts written", ylabel="root mean square error")
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
# The left picture is what a reward model's critic tries to learn: how much the text is worth *so far*. One wrong word, and the grey lines drop
# to 0.25 or 0. The right picture is the price of sampling: a hundred times the texts for a tenth of the error.
#
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
generator = torch.Generator().manual_seed(3)
obs = house.reset(generator)
for action in ("go west", "go south", "take apple") if "kitchen" in obs else ("take apple", "go north") if "garden" in obs else ("unlock door", "go east", "take key"):
    print(f"{obs}\n  > {action}")
    obs, reward, terminated = house.step(action)
    print(f"  {reward:+.1f}")
print(obs)

# %% [markdown]
# The house is small on purpose: 22 observations and 42 pairs of an observation and an action, so `house.to_mdp()` gives it as a table and its true values are
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
def format_transition(obs: str, action: str, reward: float, next_obs: str, terminated: bool) -> str:
    """One step as one line: `<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {end or go}`, without a line break."""
    ### BEGIN SOLUTION
    return f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {'end' if terminated else 'go'}"
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
    """`(reward, next_obs, terminated)` from what follows `<out>`, or None for anything malformed. Never an exception."""
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
# the reward and the next state. What should it be trained on? Only on the answer. The questions are the agent's doing, and a model that
# spends its capacity on predicting which action a random agent tries next learns nothing about the world by it.
#
# So the loss looks at the tokens after the mark alone. As in lesson 07, the label of a position is the *next* token; `ignore_index`
# marks positions that do not count (`F.cross_entropy` skips −100 by default).
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
def outcome_labels(ids: Int[Tensor, "*batch T"], outcome_id: int, ignore_index: int = -100) -> Int[Tensor, "*batch T"]:
    """labels[t] = ids[t + 1] from the first outcome mark on; `ignore_index` before it and at the last position.

    A text without the mark is ignored whole. Every text of a batch has its own first mark.
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
# blocks, four heads, 64 dimensions, about 130,000 parameters, and a token for each word.

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


def train_on(lines: Sequence[str], mark: str, seed: int, steps: int = 200, batch: int = 32) -> WorldModel:
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

# %% [markdown]
# ### Exercise 5 · `sample_outcome` (●○○, 8 minutes, 2 points)
#
# <details><summary>Hint 1</summary>
#
# The prompt is the beginning of the line that `format_transition` writes, up to and including `<out>`.
#
# </details>


# %% exercise="sample_outcome"
def sample_outcome(generate: Callable[[str], str], obs: str, action: str, attempts: int = 3) -> Outcome:
    """One outcome `(reward, next_obs, terminated)` drawn from the language model; None when all `attempts` are malformed."""
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
    """The share of `(predicted, true)` pairs that differ in reward, observation or end, or whose prediction is None."""
    ### BEGIN SOLUTION
    return sum(predicted is None or predicted != true for predicted, true in pairs) / len(pairs)
    ### END SOLUTION


# %% check="transition_error_rate" points=1
check(transition_error_rate)

# %% [markdown]
# Now train world models on more and more random play, and let each play the world's part. Two kinds of nonsense are counted, and shown:
# texts that are **malformed** (`parse_outcome` says None), and outcomes that read well but describe a place that does not exist, such as
# *here is a key* while *you carry the key*: **impossible**. The agent knows the state space (the lecture assumes it), so it can tell;
# an impossible outcome ends a rollout like an unreadable one.

# %%
SIZES = (50, 100, 200, 400, 1600)


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


def model_error(model: WorldModel, draws: int = 10) -> tuple[float, float, float]:
    """Over every possible question, `draws` times each: the error rate, the share malformed, the share impossible."""
    imagine, truth = Imagination(model, seed=1), House()
    questions = [(o, a) for o in truth.observations() if "the treasure" not in o for a in truth.actions(o)] * draws
    rate = transition_error_rate([(imagine(o, a), tuple(truth.outcomes(o, a)[0][1:])) for o, a in questions])
    return rate, imagine.malformed / imagine.texts, imagine.impossible / len(questions)


def train_worlds(seed: int = 0, sizes=SIZES) -> dict[int, WorldModel]:
    """One world model for each amount of random play; each larger amount holds the smaller ones."""
    lines = lines_of(random_play(House(), max(sizes), torch.Generator().manual_seed(100 + seed)))
    return {n: train_on(lines[:n], "<out>", seed) for n in sizes}
