# %% [markdown]
# # 01 · Sample-based planning
# *Needs: Python and a little probability · about 3 hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# An agent that knows nothing enters a world. It can learn in two ways.
#
# - **Model-free.** No model. Learn a value function (or a policy) straight from experience.
# - **Model-based.** Learn a *model* from experience, then *plan* a value function (or a policy) from the model.
#
# This lesson builds both, from the same experience, on the same small worlds, and measures what the second way gains and where it
# errs. The course ends with the same idea in words: in lesson 08 the model you plan in is a GPT. Here it is a table, so that every
# claim can be compared with an exact answer.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `q_learning_update` | ●○○ | 10 | 2 |
# | 2 | `sarsa_update` | ●○○ | 5 | 1 |
# | 3 | `discounted_returns` | ●○○ | 10 | 1.5 |
# | 4 | `epsilon_greedy` | ●●○ | 10 | 1.5 |
# | 5 | `fit_model` | ●●○ | 20 | 3 |
# | 6 | `sample_model` | ●○○ | 10 | 1.5 |
# | 7 | `q_planning` | ●●○ | 15 | 2 |
# | 8 | `sarsa_planning` | ●●○ | 20 | 2.5 |
# | 9 | `monte_carlo_planning` | ●●○ | 20 | 2.5 |
# | 10 | `dyna_q` | ●●● | 30 | 3 |
# | 11 | `policy_value` | ●●○ | 15 | 2 |
# | 12 | `sample_posterior_model` | ●●○ | 10 | 1.5 |
# | | written question | | 10 | 3 |
# | ★ | `prioritized_sweeping` (stretch) | ●●● | 30 | – |
# | ★ | `dyna_q_plus` (stretch) | ●●● | 30 | – |
# | ★ | `expected_update` (stretch) | ●●○ | 10 | – |

# %% tags=["setup"]
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from autograde.notebook import open_lesson
from utils import mdp_plots, plots
from utils.lesson import attempt
from utils.mdp import Experience, TabularMDP, TabularModel, corridor, gamma_draws, random_experience

lesson = open_lesson("01_sample_based_planning", globals())
check = lesson.check


# %% [markdown]
# **Conventions.** States and actions are plain ints. Results keep the dtype and device of the tables they are made from (the tables here
# are float64), and inputs are never changed in place. Randomness comes from an explicit `torch.Generator`, always the last argument: every
# draw uses it, so the same seed gives the same result. A figure that says it is waiting for your function draws itself once you have
# written it: run its cell again.
#
# ## The worlds
# A Markov decision process is $\langle S, A, T, R \rangle$: states, actions, transition probabilities $T(s' \mid s, a)$ and rewards
# $R(s, a)$. With few states all of it fits in tables. `TabularMDP` holds them:
#
# | field | shape | meaning |
# | --- | --- | --- |
# | `transition` | `(S, A, S)` | $T(s' \mid s, a)$: each row `transition[s, a]` sums to 1 |
# | `reward` | `(S, A)` | the expected reward of taking $a$ in $s$ |
# | `terminal` | `(S,)` | True where an episode ends; **a terminal state's value is 0** |
# | `start` | `(S,)` | the probability of starting in each state |
#
# `mdp.step(state, action, generator)` plays one step and returns `(next_state, reward, terminated)`.
#
# The tables below are those of three Gymnasium tasks, read off exactly: **CliffWalking** (4 × 12 cells, −1 per step, −100 and back to the
# start for falling; Sutton & Barto 2018, example 6.6), **FrozenLake** (4 × 4 cells of slippery ice: the move goes where you meant it with
# probability 1/3, else sideways; reward 1 at the goal, holes end the episode) and **Taxi** (500 states; Dietterich 2000).

# %% tags=["experiment"]
cliff = TabularMDP.from_gym("CliffWalking-v1")
lake = TabularMDP.from_gym("FrozenLake-v1", is_slippery=True)
taxi = TabularMDP.from_gym("Taxi-v4")
CLIFF, LAKE = (4, 12), (4, 4)
CLIFF_LETTERS = {36: "S", 47: "G", **{cell: "✕" for cell in range(37, 47)}}
LAKE_LETTERS = {0: "S", 5: "H", 7: "H", 11: "H", 12: "H", 15: "G"}

for name, world in {"CliffWalking": cliff, "FrozenLake": lake, "Taxi": taxi}.items():
    ends, seen = int(world.terminal.sum()), int(world.reachable().sum())
    print(f"{name:13} {world.n_states:3} states, {world.n_actions} actions, {ends} terminal, {seen:3} reachable")


# %%
GAMMA = 0.95  # the discount of every experiment here


def seeded(seed: int) -> torch.Generator:
    """A generator of its own for each run."""
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## 1 · Learning without a model
# A table $q$ of shape `(S, A)` holds a guess of the return that follows from each pair. One step of experience
# $(s, a, r, s')$ lets us improve the guess: move it a fraction $\alpha$ of the way to a better-informed *target*.
#
# **Q-learning** (Watkins 1989) asks what the *best* next action is worth; its target is about the greedy policy, whatever the agent does:
#
# $$q(s,a) \leftarrow q(s,a) + \alpha\,\big[\, r + \gamma \max_{a'} q(s', a') - q(s,a) \,\big]$$
#
# *A worked number.* $q(s,a) = -3$, $r = -1$, $\gamma = 0.9$, $\alpha = 0.5$, and the next state's row is $(-4, -2, -6, -5)$. The target
# is
# $-1 + 0.9 \cdot (-2) = -2.8$, so the new entry is $-3 + 0.5 \cdot 0.2 = -2.9$.
#
# When the step **terminated**, nothing comes after it: the target is $r$ alone, whatever the table holds in row $s'$.
#
# > **Terminated is not truncated.** A terminated episode is over because the world says so, and its future is worth 0.
# > A truncated one was cut by a step limit: the future goes on, and the target keeps its second term. Mixing them up is a classic bug;
# > it is why Gymnasium's `step` returns two flags.

# %% [markdown]
# ### Exercise 1 · `q_learning_update` ●○○ · 10 minutes · 2 points
# <details><summary>Hint 1</summary>
#
# Only one entry of the table changes. Work on a copy: the old table must stay as it was.
# </details>
# <details><summary>Hint 2</summary>
#
# There are two cases for the target. Write them as two, before you try to be clever.
# </details>


# %% exercise="q_learning_update"
def q_learning_update(
    q: Float[Tensor, "S A"],
    state: int,
    action: int,
    reward: float,
    next_state: int,
    terminated: bool,
    alpha: float,
    gamma: float,
) -> Float[Tensor, "S A"]:
    """A new table: `q` after one Q-learning step (Watkins 1989; Sutton & Barto 2018,
    eq. 6.8).

    Where `terminated`, the next state is worth 0. `q` itself is not changed, and the
    result is differentiable in it.
    """
    ### BEGIN SOLUTION
    future = 0.0 if terminated else gamma * q[next_state].max()
    updated = q.clone()
    updated[state, action] = q[state, action] + alpha * (
        reward + future - q[state, action]
    )
    return updated
    ### END SOLUTION


# %% check="q_learning_update" points=2
check(q_learning_update)

# %% [markdown]
# **Sarsa** (Rummery & Niranjan 1994; the name is Sutton's, 1996) uses the action $a'$ that the agent *really takes* next, hence the name $(s, a, r, s', a')$:
#
# $$q(s,a) \leftarrow q(s,a) + \alpha\,\big[\, r + \gamma\, q(s', a') - q(s,a) \,\big]$$
#
# With the numbers above and a next action worth $-6$: target $-1 + 0.9 \cdot (-6) = -6.4$, new entry $-4.7$. Sarsa counts the agent's own
# exploration as part of the world. On the cliff that will matter.
#
# ### Exercise 2 · `sarsa_update` ●○○ · 5 minutes · 1 point


# %% exercise="sarsa_update"
def sarsa_update(
    q: Float[Tensor, "S A"],
    state: int,
    action: int,
    reward: float,
    next_state: int,
    next_action: int,
    terminated: bool,
    alpha: float,
    gamma: float,
) -> Float[Tensor, "S A"]:
    """A new table: `q` after one Sarsa step (Rummery & Niranjan 1994; Sutton & Barto
    2018, eq. 6.7).

    Where `terminated`, the next state is worth 0 and `next_action` means nothing.
    """
    ### BEGIN SOLUTION
    future = 0.0 if terminated else gamma * q[next_state, next_action]
    updated = q.clone()
    updated[state, action] = q[state, action] + alpha * (
        reward + future - q[state, action]
    )
    return updated
    ### END SOLUTION


# %% check="sarsa_update" points=1
check(sarsa_update)

# %% [markdown]
# ### How far does one reward travel?
# Take a corridor of ten cells: the goal at the right end pays 1, every other step 0. The agent walks straight to the goal, and Q-learning
# updates its table at every step with $\alpha = 1$. How many such episodes until the first cell knows about the goal?


# %% tags=["experiment"]
def walk_the_corridor(n_cells: int = 10, episodes: int = 9) -> Tensor:
    """The value of stepping right in each cell after each episode, (episodes, n_cells − 1)."""
    world, q, history = corridor(n_cells), torch.zeros(n_cells, 2, dtype=torch.float64), []
    for _ in range(episodes):
        for cell in range(n_cells - 1):
            next_cell, reward, terminated = world.step(cell, 1, seeded(0))
            q = q_learning_update(q, cell, 1, reward, next_cell, terminated, 1.0, GAMMA)
        history.append(q[:-1, 1])
    return torch.stack(history)


corridor_values = attempt(walk_the_corridor)


# %% tags=["figure"]
def draw_corridor(figure):
    values = corridor_values[:]
    ax = figure.subplots()
    rows = [f"after {episode}" for episode in range(1, len(values) + 1)]
    plots.heatmap(
        ax,
        values,
        rows=rows,
        columns=[str(c) for c in range(values.shape[1])],
        annotate=True,
        vmin=0,
        vmax=1,
        label="value of stepping right",
    )
    ax.set(xlabel="cell (the goal lies right of the last)", ylabel="episodes")


plots.show(
    draw_corridor,
    alt="Heat map of the value of stepping right, nine cells after one to nine episodes: the goal's value moves one cell to the left with"
    " every episode",
    width=6.4,
    height=3.4,
)

# %% [markdown]
# One cell per episode. All the information was there after the first walk; the learner used each step once, in order, and forgot it.
# There are two remedies. One waits for the end of the episode and uses what really followed (Monte Carlo). The other *keeps* the
# experience and learns from it again: as it was (experience replay; Lin 1992), or through a model fitted to it (planning), which is what
# this lesson is about. First, Monte Carlo's return:
#
# $$G_t = R_{t+1} + \gamma R_{t+2} + \gamma^2 R_{t+3} + \dots = R_{t+1} + \gamma\, G_{t+1}$$
#
# With rewards $(-1, -1, 10)$ and $\gamma = 0.5$: $G_2 = 10$, $G_1 = -1 + 5 = 4$, $G_0 = -1 + 2 = 1$. The reward of the step taken at time
# $t$ is `rewards[t]`.
#
# ### Exercise 3 · `discounted_returns` ●○○ · 10 minutes · 1.5 points
# <details><summary>Hint 1</summary>
#
# The right-hand form of the formula says which end to begin at.
# </details>


# %% exercise="discounted_returns"
def discounted_returns(rewards: Float[Tensor, "T"], gamma: float) -> Float[Tensor, "T"]:
    """The return G_t from every step t of one finished episode (Sutton & Barto 2018,
    eq. 3.8); an empty episode has no returns.

    Differentiable in `rewards`.
    """
    ### BEGIN SOLUTION
    returns = []
    for reward in reversed(rewards.unbind()):
        returns.append(reward + gamma * returns[-1] if returns else reward)
    return torch.stack(returns[::-1]) if returns else rewards.clone()
    ### END SOLUTION


# %% check="discounted_returns" points=1.5
check(discounted_returns)

# %% [markdown]
# To learn about an action an agent has to try it. The **ε-greedy** policy takes, with probability $\varepsilon$, an action drawn
# uniformly from *all* of them (the best one included), else a best one. So with $|A|$ actions and a single best one, that one is taken
# with probability $1 -
# \varepsilon + \varepsilon/|A|$.
#
# **Ties matter.** In a fresh table all actions are equal. An agent that always takes the first of equals may walk into the same wall again
# and again; one of the equals must be drawn at random.
#
# ### Exercise 4 · `epsilon_greedy` ●●○ · 10 minutes · 1.5 points
# <details><summary>Hint 1</summary>
#
# Two draws can be needed: one says whether to explore, the other which action. `torch.rand` and `torch.randint` both take `generator=`.
# </details>
# <details><summary>Hint 2</summary>
#
# `argmax` gives one index even where several entries are equal. You want all of them.
# </details>


# %% exercise="epsilon_greedy"
def epsilon_greedy(
    q_row: Float[Tensor, "A"], epsilon: float, generator: torch.Generator
) -> int:
    """An action as a plain int: uniform over all actions with probability `epsilon`,
    else uniform over the best ones.
    """
    ### BEGIN SOLUTION
    candidates = torch.arange(len(q_row))
    if torch.rand((), generator=generator) >= epsilon:
        candidates = (q_row == q_row.max()).nonzero().flatten()
    return int(candidates[torch.randint(len(candidates), (), generator=generator)])
    ### END SOLUTION


# %% check="epsilon_greedy" points=1.5
check(epsilon_greedy)


# %% tags=["figure"]
def draw_epsilon(figure):
    row, generator = torch.tensor([0.2, 1.0, 0.5, 1.0]), seeded(0)
    axes = figure.subplots(1, 3, sharey=True)
    for ax, epsilon in zip(axes, (0.0, 0.3, 1.0)):
        drawn = torch.bincount(torch.tensor([epsilon_greedy(row, epsilon, generator) for _ in range(4000)]), minlength=4)
        ax.bar(range(4), drawn / 4000, color=plots.BLUE)
        ax.set_xticks(range(4), ["0.2", "1", "0.5", "1"])
        ax.set_title(f"ε = {epsilon:g}")
        ax.set_xlabel("value of the action")
    axes[0].set_ylabel("share of 4,000 draws")


plots.show(
    draw_epsilon,
    alt="Bars of how often four actions worth 0.2, 1, 0.5 and 1 are drawn, for ε of 0, 0.3 and 1: the two best share the greedy part "
    "equally",
    width=6.4,
    height=2.4,
)

# %% [markdown]
# ## 2 · What is a model?
# A model $\mathcal M = \langle T_\eta, R_\eta \rangle$ is a representation of the MDP with parameters $\eta$. We take the states and
# actions as known; what has to be learned is $T_\eta \approx T$ and $R_\eta \approx R$:
#
# $$S_{t+1} \sim T_\eta(S_{t+1} \mid S_t, A_t) \qquad R_{t+1} = R_\eta(R_{t+1} \mid S_t, A_t)$$
#
# This is supervised learning: the input is $(s, a)$, the targets are $s'$ and $r$. With tables, the maximum-likelihood answer is to
# count:
#
# $$T_\eta(s' \mid s,a) = \frac{N(s,a,s')}{N(s,a)} \qquad R_\eta(s,a) = \frac{1}{N(s,a)} \sum_{i:\,(s_i,a_i) = (s,a)} r_i$$
#
# *A worked number.* Four tries of a pair: next states 2, 2, 5, 2 and rewards 0, 0, 1, 0. Then $T_\eta(2) = 0.75$, $T_\eta(5) = 0.25$,
# $R_\eta = 0.25$.
#
# Experience comes as an `Experience`: five equally long tensors `state, action, reward, next_state, terminated`. The result is a
# `TabularModel(transition, reward, counts, terminal)` with shapes `(S, A, S)`, `(S, A)`, `(S, A)`, `(S,)`. Two conventions:
# **a pair never tried has all-zero rows** (never NaN), and a state seen as the next state of a terminated step is terminal. All tables,
# `counts` too, have the dtype of the rewards, and `terminal` is boolean.
#
# ### Exercise 5 · `fit_model` ●●○ · 20 minutes · 3 points
# <details><summary>Hint 1</summary>
#
# Count triples first, into a table `(S, A, S)`. Everything but the reward follows from it.
# </details>
# <details><summary>Hint 2</summary>
#
# A loop over the steps is right. If you want it fast: `index_put(…, accumulate=True)` adds up repeated indices; plain `counts[s, a] += 1`
# with index tensors does *not*.
# </details>
# <details><summary>Hint 3</summary>
#
# Where a pair was never tried the fraction is 0/0. Which denominator gives 0 there and changes nothing elsewhere?
# </details>


# %% exercise="fit_model"
def fit_model(experience: Experience, n_states: int, n_actions: int) -> TabularModel:
    """The maximum-likelihood model of `experience`: relative frequencies and mean
    rewards; rows of pairs never tried are all zero.
    """
    ### BEGIN SOLUTION
    state, action, reward = experience.state, experience.action, experience.reward
    triples = reward.new_zeros(n_states, n_actions, n_states)
    triples = triples.index_put(
        (state, action, experience.next_state),
        torch.ones_like(reward),
        accumulate=True,
    )
    total_reward = reward.new_zeros(n_states, n_actions).index_put(
        (state, action), reward, accumulate=True
    )
    counts = triples.sum(-1)
    tries = counts.clamp(min=1)
    terminal = torch.zeros(n_states, dtype=torch.bool, device=reward.device)
    terminal[experience.next_state[experience.terminated]] = True
    return TabularModel(
        triples / tries[..., None], total_reward / tries, counts, terminal
    )
    ### END SOLUTION


# %% check="fit_model" points=3
check(fit_model)

# %% [markdown]
# Below, one row of FrozenLake's table (cell 9, action *right*) as your model sees it after more and more tries. The truth is one third
# each for three cells: the one meant, and the two beside it.


# %% tags=["figure"]
def draw_model(figure):
    state, action, tries = 9, 2, (3, 10, 100, 3000)
    generator = seeded(4)
    steps = [(state, action, reward, s, done) for s, reward, done in (lake.step(state, action, generator) for _ in range(max(tries)))]
    learned = [fit_model(Experience.from_steps(steps[:n]), 16, 4).transition[state, action] for n in tries]
    rows, labels = torch.stack([*learned, lake.transition[state, action]]), [f"{n:,} tries" for n in tries] + ["the truth"]
    shown = rows.sum(0).nonzero().flatten().tolist()
    ax = figure.subplots()
    plots.heatmap(ax, rows[:, shown], labels, [str(s) for s in shown], label="probability", annotate=True, vmin=0, vmax=0.7)
    ax.set_xlabel("next state (all others: 0)")


plots.show(
    draw_model,
    alt="Heat map of one pair's learned next-state probabilities after 3, 10, 100 and 3,000 tries, above the true ones, a third for each "
    "of three cells: uneven after ten tries, within about a hundredth after 3,000",
    width=4.8,
    height=2.6,
)

# %% [markdown]
# ### What this model assumes
# Writing the model as *two* pieces says more than it seems. It takes the next state and the reward to be **conditionally independent**
# given the pair:
#
# $$P[S_{t+1}, R_{t+1} \mid S_t, A_t] = P[S_{t+1} \mid S_t, A_t]\; P[R_{t+1} \mid S_t, A_t]$$
#
# A slippery cliff breaks it. One row above the edge, step right: with probability 1/3 each you go right, slip up, or slip over the edge.
# Only the fall costs 100, so whoever knows *where* you landed knows what you *paid*. Our tables go one step further and keep only the
# mean reward, $(-1 - 1 - 100)/3 = -34$: your model charges every step a third of a fall.
#
# To draw from a model: draw $s'$ from its row, read $r$, look up whether $s'$ is terminal. A pair never tried has nothing to draw from;
# then `sample_model` raises a `ValueError` whose message holds the numbers of the state and of the action.
#
# ### Exercise 6 · `sample_model` ●○○ · 10 minutes · 1.5 points
# <details><summary>Hint 1</summary>
#
# `torch.multinomial(probabilities, 1, generator=generator)` draws an index. Which field tells you whether the pair was ever tried?
# </details>


# %% exercise="sample_model"
def sample_model(
    model: TabularModel, state: int, action: int, generator: torch.Generator
) -> tuple[int, float, bool]:
    """One imagined step: `(next_state, reward, terminated)` as int, float and bool.

    Raises:
        ValueError: for a pair the model never tried; the message names the state and
            the action.
    """
    ### BEGIN SOLUTION
    if model.counts[state, action] == 0:
        raise ValueError(
            f"the pair state={state}, action={action} was never tried, "
            "so the model cannot sample it"
        )
    next_state = int(
        torch.multinomial(model.transition[state, action], 1, generator=generator)
    )
    return (
        next_state, float(model.reward[state, action]), bool(model.terminal[next_state])
    )
    ### END SOLUTION


# %% check="sample_model" points=1.5
check(sample_model)


# %% tags=["experiment"]
def fall_or_not(n: int = 3000) -> tuple[list, list]:
    """(next state, reward) draws of one pair on the slippery cliff: from Gymnasium itself, and from your model of those draws."""
    import gymnasium

    world = gymnasium.make("CliffWalking-v1", is_slippery=True, disable_env_checker=True).unwrapped
    world.reset(seed=0)
    steps = []
    for _ in range(n):
        world.s = 30
        next_state, reward, terminated, *_ = world.step(1)
        steps.append((30, 1, float(reward), next_state, terminated))
    model, generator = fit_model(Experience.from_steps(steps), 48, 4), seeded(0)
    imagined = [sample_model(model, 30, 1, generator) for _ in range(n)]
    return [(s, r) for _, _, r, s, _ in steps], [(s, r) for s, r, _ in imagined]


draws_of_one_step = attempt(fall_or_not)


# %% tags=["figure"]
def draw_joint(figure):
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    cells = {18: "slipped\nup", 31: "went\nright", 36: "fell: back\nat the start"}
    for ax, title, draws in zip(axes, ("the world", "your model"), draws_of_one_step[:]):
        for pair in sorted(set(draws)):
            share = draws.count(pair) / len(draws)
            ax.scatter(list(cells).index(pair[0]), pair[1], s=900 * share, color=plots.BLUE, alpha=0.75, linewidth=0)
            ax.annotate(f"{share:.2f}", (list(cells).index(pair[0]), pair[1]), (0, 14), textcoords="offset points", ha="center", fontsize=8)
        ax.set_title(title)
        ax.set_xticks(range(3), cells.values())
        ax.set(xlim=(-0.5, 2.5), ylim=(-115, 22), xlabel="next state")
    axes[0].set_ylabel("reward of the step")


plots.show(
    draw_joint,
    alt="Dots for joint draws of next state and reward, each a third: in the world only the fall costs 100 and the others 1, in the model"
    " each of the three costs 34",
    width=6.4,
    height=2.9,
)

# %% [markdown]
# Does it matter? Not for expected values: $\mathbb E[r + \gamma V(s')]$ needs the mean reward and the next-state probabilities, and
# both are right. It does for every question about risk ("how often does a walk cost more than 50?"), and for a model whose reward
# must be read off a story, as in lesson 08, where one text carries both.

# %% [markdown]
# ## 3 · Planning from samples
# Here is the lecture's idea, simple and powerful: **use the model only to generate samples, and apply model-free RL to them.** Q-learning,
# Sarsa and Monte Carlo control stay what they are; only the experience is imagined, and imagined experience costs computing time, but
# no step in the world.
#
# **Q-planning** (random-sample one-step tabular Q-planning; Sutton & Barto 2018, §8.1) repeats: pick a pair that was tried, at random;
# sample its outcome from the model; do one Q-learning update. A pair never tried is never sampled, so its entry stays 0.
#
# ### Exercise 7 · `q_planning` ●●○ · 15 minutes · 2 points
# Any way of picking that keeps visiting every tried pair is right. The table starts at zero and has the dtype of the model's tables.
#
# <details><summary>Hint 1</summary>
#
# You have written every part of it already. `model.counts` says which pairs there are to pick from.
# </details>
# <details><summary>Hint 2</summary>
#
# A model of an empty experience has no pair at all: the answer is the zero table.
# </details>


# %% exercise="q_planning"
def q_planning(
    model: TabularModel,
    steps: int,
    alpha: float,
    gamma: float,
    generator: torch.Generator,
) -> Float[Tensor, "S A"]:
    """`steps` Q-learning updates on outcomes sampled from the model, each for a tried
    pair picked at random.
    """
    ### BEGIN SOLUTION
    q = torch.zeros_like(model.reward)
    tried = model.counts.nonzero().tolist()
    for _ in range(steps if tried else 0):
        state, action = tried[torch.randint(len(tried), (), generator=generator)]
        next_state, reward, terminated = sample_model(model, state, action, generator)
        q = q_learning_update(
            q, state, action, reward, next_state, terminated, alpha, gamma
        )
    return q
    ### END SOLUTION


# %% check="q_planning" points=2
check(q_planning)

# %% [markdown]
# **Sarsa** needs whole trajectories, since it must know the action that really follows. So roll out *episodes* in the model: a start
# state drawn uniformly from `start_states`, ε-greedy actions, one Sarsa update per step.
#
# An imagined episode ends in one of three ways: the model says *terminated*; it has `max_steps` steps (truncated: its last update
# bootstraps like any other); or it reaches a pair that the model never tried. In the last case it ends there, unbootstrapped: nothing is
# added for what the model cannot imagine. Since such a pair's entry is never updated, it is 0 anyway.
#
# ### Exercise 8 · `sarsa_planning` ●●○ · 20 minutes · 2.5 points
# <details><summary>Hint 1</summary>
#
# Choose the first action before the loop over steps. Inside it you need the *next* action before you can update, and then it becomes the
# action.
# </details>
# <details><summary>Hint 2</summary>
#
# The first pair of an episode may be one that was never tried. Then this episode teaches nothing, and the next one begins.
# </details>


# %% exercise="sarsa_planning"
def sarsa_planning(
    model: TabularModel,
    start_states: Int[Tensor, "n"],
    episodes: int,
    alpha: float,
    gamma: float,
    epsilon: float,
    max_steps: int,
    generator: torch.Generator,
) -> Float[Tensor, "S A"]:
    """Sarsa on `episodes` imagined episodes, each from a uniformly drawn start state
    (Sutton & Barto 2018, §6.4 and §8.1).
    """
    ### BEGIN SOLUTION
    q = torch.zeros_like(model.reward)
    for _ in range(episodes):
        state = int(
            start_states[torch.randint(len(start_states), (), generator=generator)]
        )
        action = epsilon_greedy(q[state], epsilon, generator)
        for _ in range(max_steps):
            if model.counts[state, action] == 0:
                break
            next_state, reward, terminated = sample_model(
                model, state, action, generator
            )
            next_action = epsilon_greedy(q[next_state], epsilon, generator)
            q = sarsa_update(
                q, state, action, reward, next_state, next_action, terminated,
                alpha, gamma,
            )
            if terminated:
                break
            state, action = next_state, next_action
    return q
    ### END SOLUTION


# %% check="sarsa_planning" points=2.5
check(sarsa_planning)

# %% [markdown]
# **Monte Carlo control** plays an imagined episode to its end, computes the returns, and averages: the entry of a pair is the mean of
# *all* returns that followed *every* visit to it, over all episodes so far (every-visit, sample-average; Sutton & Barto 2018, §5.4, count
# first visits only; §5.6 has the running mean). The next episode is ε-greedy in the new table. Episodes begin and end as in Sarsa's planning, and a cut one uses the rewards it
# has.
#
# ### Exercise 9 · `monte_carlo_planning` ●●○ · 20 minutes · 2.5 points
# <details><summary>Hint 1</summary>
#
# The running mean needs no list of returns: with the $n$-th return, $q \leftarrow q + (G - q)/n$.
# </details>
# <details><summary>Hint 2</summary>
#
# If a pair occurs three times in an episode, it collects three returns from it.
# </details>


# %% exercise="monte_carlo_planning"
def monte_carlo_planning(
    model: TabularModel,
    start_states: Int[Tensor, "n"],
    episodes: int,
    gamma: float,
    epsilon: float,
    max_steps: int,
    generator: torch.Generator,
) -> Float[Tensor, "S A"]:
    """Every-visit Monte Carlo control on imagined episodes: each entry is the mean of
    the returns that followed its pair.
    """
    ### BEGIN SOLUTION
    q, visits = torch.zeros_like(model.reward), torch.zeros_like(model.reward)
    for _ in range(episodes):
        state, pairs, rewards = (
            int(
                start_states[torch.randint(len(start_states), (), generator=generator)]
            ),
            [], [],
        )
        for _ in range(max_steps):
            action = epsilon_greedy(q[state], epsilon, generator)
            if model.counts[state, action] == 0:
                break
            next_state, reward, terminated = sample_model(
                model, state, action, generator
            )
            pairs.append((state, action))
            rewards.append(reward)
            if terminated:
                break
            state = next_state
        for pair, value in zip(
            pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma)
        ):
            visits[pair] += 1
            q[pair] += (value - q[pair]) / visits[pair]
    return q
    ### END SOLUTION


# %% check="monte_carlo_planning" points=2.5
check(monte_carlo_planning)

# %% [markdown]
# ### Two planners, one model
# Three thousand random steps, begun anywhere on the grid, have tried every pair of CliffWalking (for each of {measured:cliff.seeds} seeds);
# the world is deterministic, so your model of it is now exact. Plan in it with Q-learning's update and with Sarsa's ($\varepsilon = 0.1$), and follow
# the greedy action from the start.


# %% tags=["experiment"]
def follow(q: Tensor, world: TabularMDP, state: int, max_steps: int = 40) -> list[int]:
    """The cells a greedy walker visits in a deterministic world."""
    cells = [state]
    while not world.terminal[state] and len(cells) < max_steps:
        state = int(world.transition[state, int(q[state].argmax())].argmax())
        cells.append(state)
    return cells


def plan_the_cliff() -> dict[str, Tensor]:
    """The tables of both planners in one model of the cliff."""
    anywhere = (cliff.reachable() & ~cliff.terminal).double()
    experience = random_experience(cliff, 3000, seeded(0), max_steps=20, start=anywhere)
    model = fit_model(experience, cliff.n_states, cliff.n_actions)
    return {
        "Q-planning": q_planning(model, 10_000, 0.5, GAMMA, seeded(1)),
        "Sarsa planning": sarsa_planning(model, torch.tensor([36]), 1000, 0.2, GAMMA, 0.1, 500, seeded(1)),
    }


cliff_tables = attempt(plan_the_cliff)


# %% tags=["figure"]
def draw_paths(figure):
    ax = figure.subplots()
    values = cliff_tables["Q-planning"].max(-1).values
    mdp_plots.draw_grid(ax, values, CLIFF, letters=CLIFF_LETTERS, hidden=range(37, 47), numbers=False, label="planned value (Q)")
    mdp_plots.draw_path(ax, follow(cliff_tables["Q-planning"], cliff, 36), CLIFF, plots.ORANGE, "Q-planning: along the edge", -0.08)
    mdp_plots.draw_path(ax, follow(cliff_tables["Sarsa planning"], cliff, 36), CLIFF, plots.GREEN, "Sarsa planning: a safe way round", 0.08)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.04), ncols=2)


plots.show(
    draw_paths,
    alt="The cliff grid with two greedy paths: the one from Q-planning runs along the edge, the one from Sarsa planning keeps away from it",
    width=7.2,
    height=2.9,
)

# %% [markdown]
# Both are right. Q-learning's values are those of the greedy policy, and along the edge is the shortest way. Sarsa's are those of the
# ε-greedy policy that made the steps: who explores in one step of ten should not do so beside a cliff. (Example 6.6 in Sutton & Barto
# shows this with real steps. Here the falls that taught it were imagined.)

# %% [markdown]
# ## 4 · Dyna: learn, model, plan, all at once
# **Dyna-Q** (Sutton 1990) joins the two ways. After every *real* step it does three things:
#
# 1. **direct learning**: a Q-learning update with the step;
# 2. **model learning**: count the step in the model, as `fit_model` would (every outcome of a pair counts, not only the newest);
# 3. **planning**: `planning_steps` times, pick a pair tried before, imagine its outcome, and do a Q-learning update with that.
#
# With 0 planning steps it is plain Q-learning. Planning costs computing time, not experience.
#
# ### Exercise 10 · `dyna_q` ●●● · 30 minutes · 3 points
# Start each episode in a state drawn from `mdp.start`; behave ε-greedily; the table starts at zero. Return the table and, for each
# episode, how many real steps it took (a list of ints). An episode cut at `max_steps` is *truncated*, not terminated: its last update
# bootstraps like any other. The step that ends an episode is planned after like every other step.
#
# <details><summary>Hint 1</summary>
#
# You need not refit a model after each step. Sampling from maximum-likelihood counts is the same as drawing one of the outcomes seen for
# that pair, uniformly.
# </details>
# <details><summary>Hint 2</summary>
#
# Keep a dict from (state, action) to the outcomes seen, and a list of its keys to draw from.
# </details>
# <details><summary>Hint 3</summary>
#
# Do steps 1 to 3 in that order: when planning begins, the newest step is already in the model.
# </details>


# %% exercise="dyna_q"
def dyna_q(
    mdp: TabularMDP,
    episodes: int,
    planning_steps: int,
    alpha: float,
    gamma: float,
    epsilon: float,
    max_steps: int,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "S A"], list[int]]:
    """Tabular Dyna-Q (Sutton 1990; Sutton & Barto 2018, §8.2): the learned table and
    the real steps of each episode.
    """

    ### BEGIN SOLUTION
    def draw(n: int) -> int:
        return int(torch.randint(n, (), generator=generator))

    q, steps = torch.zeros_like(mdp.reward), []
    # all outcomes seen for a pair: drawing from them is sampling the
    # maximum-likelihood model
    outcomes, tried = {}, []
    for _ in range(episodes):
        state = int(torch.multinomial(mdp.start, 1, generator=generator))
        steps.append(0)
        for _ in range(max_steps):
            steps[-1] += 1
            action = epsilon_greedy(q[state], epsilon, generator)
            next_state, reward, terminated = mdp.step(state, action, generator)
            q = q_learning_update(
                q, state, action, reward, next_state, terminated, alpha, gamma
            )
            if (state, action) not in outcomes:
                tried.append((state, action))
            outcomes.setdefault((state, action), []).append(
                (reward, next_state, terminated)
            )
            for _ in range(planning_steps):
                pair = tried[draw(len(tried))]
                imagined = outcomes[pair][draw(len(outcomes[pair]))]
                q = q_learning_update(q, *pair, *imagined, alpha, gamma)
            if terminated:
                break
            state = next_state
    return q, steps
    ### END SOLUTION


# %% check="dyna_q" points=3
check(dyna_q)

# %% [markdown]
# The learning curves: CliffWalking, five seeds each, the number of real steps an episode takes. Bands run from the best seed to the
# worst.


# %% tags=["experiment"]
def learning_curves(episodes: int = 40, seeds: int = 5) -> dict[int, Tensor]:
    """Real steps of each episode, (seeds, episodes), for 0, 5 and 50 planning steps."""
    return {
        n: torch.tensor([dyna_q(cliff, episodes, n, 0.5, GAMMA, 0.1, 500, seeded(seed))[1] for seed in range(seeds)], dtype=torch.float64)
        for n in tqdm((0, 5, 50), desc="planning steps", leave=False)
    }


curves = attempt(learning_curves)


# %% tags=["figure"]
def draw_curves(figure):
    ax = figure.subplots()
    for n, color in zip((0, 5, 50), (plots.GREY, plots.ORANGE, plots.BLUE)):
        plots.band(ax, range(1, curves[n].shape[1] + 1), curves[n], f"{n} planning steps" + (" (model-free)" if n == 0 else ""), color)
    ax.axhline(13, color="#111827", lw=1, ls=":")
    ax.text(40, 12.4, "shortest way: 13 ", ha="right", va="top", fontsize=8)
    ax.set(yscale="log", xlabel="episode", ylabel="real steps in the episode", ylim=(9, 700))
    ax.legend()


plots.show(
    draw_curves,
    alt="Real steps per episode against the episode on CliffWalking, both counted from the first, bands over five seeds: with 50 planning "
    "steps near the shortest way of 13 within the first few episodes, with 5 a little later, with none slowly and not there after 40",
    width=6.4,
    height=3.2,
)

# %% [markdown]
# More planning, fewer real steps: the first ten episodes take {measured:dyna.0.first_ten:,.0f} real steps without planning,
# {measured:dyna.5.first_ten:,.0f} with 5 and {measured:dyna.50.first_ten:,.0f} with 50 planning steps (means over {measured:dyna.seeds}
# seeds). The first episode of at most 20 steps is number {measured:dyna.50.first_short:.0f} with 50 planning steps, and number
# {measured:dyna.0.first_short:.0f} with none, again on average. (Without planning, single runs differ: {measured:dyna.0.first_short.range:.0f} in these
# runs, earlier or later in others, since one lucky episode is enough. The curves do not settle *at* 13: the walker still explores one step in ten, and a
# fall sets it back to the start.)


# %% [markdown]
# ## 5 · Exact values
# To speak of errors we need the exact values. For a policy $\pi$, given as probabilities `(S, A)`, the Bellman equation is linear,
# $V = r_\pi + \gamma P_\pi V$, with $P_\pi(s, s') = \sum_a \pi(a \mid s)\, T(s' \mid s,a)$ and $r_\pi(s) = \sum_a \pi(a \mid s)\,
# R(s,a)$. So
#
# $$(I - \gamma P_\pi)\, V^\pi = r_\pi$$
#
# with one row changed for each terminal state, where $V = 0$ whatever its row of the tables says.
#
# *A worked number.* One state that loops to itself with probability 0.5, else ends; reward 1 per step; $\gamma = 0.8$: $(1 - 0.4)\,V = 1$,
# so $V = 1.667$.
#
# ### Exercise 11 · `policy_value` ●●○ · 15 minutes · 2 points
# <details><summary>Hint 1</summary>
#
# Build $P_\pi$ `(S, S)` and $r_\pi$ `(S,)` by summing over the actions, then `torch.linalg.solve`.
# </details>
# <details><summary>Hint 2</summary>
#
# What must a terminal state's row of $P_\pi$ and entry of $r_\pi$ be, so that the equation itself reads $V = 0$ there?
# </details>


# %% exercise="policy_value"
def policy_value(
    mdp: TabularMDP, policy: Float[Tensor, "S A"], gamma: float
) -> Float[Tensor, "S"]:
    """The exact value V^π of every state by a linear solve (Sutton & Barto 2018,
    eq. 4.4); 0 in terminal states.
    """
    ### BEGIN SOLUTION
    goes_on = (~mdp.terminal).to(policy.dtype)
    transition = torch.einsum("sa,san->sn", policy, mdp.transition) * goes_on[:, None]
    reward = (policy * mdp.reward).sum(-1) * goes_on
    identity = torch.eye(len(reward), dtype=reward.dtype, device=reward.device)
    return torch.linalg.solve(identity - gamma * transition, reward)
    ### END SOLUTION


# %% check="policy_value" points=2
check(policy_value)

# %% [markdown]
# With exact evaluation, exact *planning* is short: evaluate, act greedily, repeat until nothing improves (policy iteration; Howard 1960).
# The next figures compare with it. No sampling is in it, so it errs only where the model does.


# %%
def greedy_policy(q: Float[Tensor, "S A"]) -> Float[Tensor, "S A"]:
    """All probability on one best action of each state."""
    return torch.nn.functional.one_hot(q.argmax(-1), q.shape[-1]).to(q.dtype)


def plan_exactly(mdp: TabularMDP, gamma: float, rounds: int = 200) -> tuple[Float[Tensor, "S"], Float[Tensor, "S A"]]:
    """The optimal values of an MDP (or of a model taken for one), and an optimal policy: policy iteration with your `policy_value`."""
    policy = greedy_policy(mdp.reward)
    value = policy_value(mdp, policy, gamma)
    for _ in range(rounds):
        policy = greedy_policy(mdp.reward + gamma * mdp.transition @ value)
        before, value = value, policy_value(mdp, policy, gamma)
        if (value <= before + 1e-10).all():
            break
    return value, policy


# %% tags=["figure"]
def draw_lake(figure):
    random = torch.full_like(lake.reward, 1 / 4)
    best, policy = plan_exactly(lake, GAMMA)
    axes = figure.subplots(1, 2)
    for ax, values, title in zip(axes, (policy_value(lake, random, GAMMA), best), ("a random walker", "the best policy and its arrows")):
        mdp_plots.draw_grid(
            ax, values, LAKE, letters=LAKE_LETTERS, hidden=(5, 7, 11, 12), limits=(0, float(best.max())), label="exact value"
        )
        ax.set_title(title)
    mdp_plots.draw_arrows(axes[1], policy, LAKE, mdp_plots.LAKE_ARROWS, skip=lake.terminal.nonzero().flatten().tolist())


plots.show(
    draw_lake,
    alt="FrozenLake's four by four grid twice, with exact values: of a random walker, 0.41 at most, and of the best policy, 0.18 at the "
    "start and 0.72 beside the goal, with an arrow in every cell that ends no episode",
    width=7.2,
    height=3.1,
)

# %% [markdown]
# Look at the arrows: several point *away* from the goal or into a wall. On ice that slips to both sides and never backwards, that is the
# way not to fall into a hole.

# %% [markdown]
# ## 6 · Two sources of error
# A planner that works from a learned model errs twice. Let $V^*$ be the best value in the world, $V^*_\eta$ the best value *in the
# model*, and $\hat V$ what planning has found so far. Then
#
# $$\|\hat V - V^*\| \;\le\; \underbrace{\|V^*_\eta - V^*\|}_{\text{the model's error}}
# \;+\; \underbrace{\|\hat V - V^*_\eta\|}_{\text{planning's own error}}$$
#
# More experience tends to shrink the first, more planning the second, and no planning shrinks the first. Below, FrozenLake; errors are means
# over its non-terminal cells, over five seeds; both exact values are computed with your `policy_value`, $\hat V$ with your `q_planning`.

# %% tags=["experiment"]
ice = ~lake.terminal
ANYWHERE = ice.double() / ice.sum()


def errors(experience: Experience, planning: int, seed: int) -> list[float]:
    """[the model's error, planning's own, both together] of a model of `experience` and `planning` samples from it."""
    model = fit_model(experience, lake.n_states, lake.n_actions)
    truth, believed = plan_exactly(lake, GAMMA)[0], plan_exactly(model.as_mdp(lake.start), GAMMA)[0]
    planned = q_planning(model, planning, 0.1, GAMMA, seeded(100 + seed)).max(-1).values
    return [float((a - b)[ice].abs().mean()) for a, b in ((believed, truth), (planned, believed), (planned, truth))]


EXPERIENCE, SAMPLES = (200, 600, 2000, 6000, 20_000), (200, 600, 2000, 6000, 20_000)


def split_the_error(seeds: int = 5) -> tuple[Tensor, Tensor]:
    """The errors against experience (10,000 planning samples) and against planning samples (20,000 steps), each (3, seeds, 5)."""
    lived = [random_experience(lake, max(EXPERIENCE), seeded(seed), start=ANYWHERE) for seed in range(seeds)]
    against_experience = [
        [errors(lived[seed].first(n), 10_000, seed) for n in EXPERIENCE] for seed in tqdm(range(seeds), desc="more experience", leave=False)
    ]
    against_planning = [[errors(lived[seed], n, seed) for n in SAMPLES] for seed in tqdm(range(seeds), desc="more planning", leave=False)]
    return torch.tensor(against_experience).movedim(-1, 0), torch.tensor(against_planning).movedim(-1, 0)


error_split = attempt(split_the_error)


# %% tags=["figure"]
def draw_errors(figure):
    axes = figure.subplots(1, 2, sharey=True)
    kinds = (("the model's error", plots.BLUE), ("planning's own error", plots.ORANGE), ("both together", plots.GREY))
    for ax, x, runs in zip(axes, (EXPERIENCE, SAMPLES), error_split[:]):
        for (label, color), run in zip(kinds, runs):
            plots.band(ax, x, run, label, color)
        ax.set(xscale="log", yscale="log")
    axes[0].set(xlabel="real steps (10,000 planning samples)", ylabel="mean error of the values")
    axes[1].set_xlabel("planning samples (20,000 real steps)")
    axes[0].legend()


plots.show(
    draw_errors,
    alt="Value error on FrozenLake, split in two parts. Left, against real steps: the model's part falls to the smallest, planning's own falls at first and then little. Right, "
    "against planning samples: planning's own part falls, the model's stays",
    width=7.2,
    height=3.2,
)

# %% [markdown]
# Three things to see, with means over {measured:errors.seeds} seeds. On the left the model's error falls with experience, from
# {measured:errors.experience.200.model:.2f} at 200 steps to {measured:errors.experience.20000.model:.2f} at 20,000, until planning's own
# error is the larger part. (In models of very few steps planning's own error is larger, too: {measured:errors.experience.200.planning:.2f} at 200
# steps, {measured:errors.experience.600.planning:.2f} at 600. Some such models promise far too much, and 10,000 samples do not get there. More samples would, and
# end further from the truth.) On the right no amount of planning touches the model's error. And planning's own error stops falling too: it is
# {measured:errors.samples.20000.planning:.3f} after 20,000 samples and {measured:errors.longer:.3f} after 40,000. With a constant step size
# $\alpha = 0.1$ the entries keep changing with each sample, and the maximum of such noisy entries is too high on average (here by
# {measured:errors.too_high:.3f}). Smaller steps and more of them help on average: after {measured:step_size.budget.samples:,} samples the error is
# {measured:step_size.large:.3f} with $\alpha = 0.1$ and {measured:step_size.small:.3f} with $\alpha = 0.02$; a single run with another seed showed no gain.


# %% [markdown]
# ### Reasoning about uncertainty
# One of the advantages of model-based RL that the lecture names: it can say how sure it is. A maximum-likelihood model cannot; one try of a pair makes it
# certain of the outcome. A **posterior** over models can. Put a Dirichlet prior on each row of $T_\eta$; after counts $N(s,a,\cdot)$ the
# posterior is again Dirichlet (the prior is conjugate):
#
# $$T_\eta(\cdot \mid s,a) \;\sim\; \mathrm{Dirichlet}\big(N(s,a,\cdot) + \text{prior}\big)$$
#
# Drawing *one whole model* from it and planning in that is posterior sampling (Strens 2000; Osband et al. 2013). A Dirichlet draw is a
# row of independent Gamma draws, divided by their sum; `gamma_draws(shape, generator)` from `utils.mdp` gives Gamma(shape, 1) draws, one
# for each entry of `shape`.
#
# *A worked number.* Counts $(3, 1, 0)$ and prior 0.5: Dirichlet(3.5, 1.5, 0.5), whose mean is $(0.636, 0.273, 0.091)$. The outcome never
# seen keeps a chance.
#
# ### Exercise 12 · `sample_posterior_model` ●●○ · 10 minutes · 1.5 points


# %% exercise="sample_posterior_model"
def sample_posterior_model(
    counts: Tensor, prior: float, generator: torch.Generator
) -> Float[Tensor, "S A S"]:
    """One draw of T_η: each row from Dirichlet(counts + prior), independently; `counts`
    is (S, A, S), how often each triple was seen.
    """
    ### BEGIN SOLUTION
    draws = gamma_draws(counts + prior, generator)
    return draws / draws.sum(-1, keepdim=True)
    ### END SOLUTION


# %% check="sample_posterior_model" points=1.5
check(sample_posterior_model)

# %% [markdown]
# What is it good for? Tell the agent the rules of FrozenLake (where the goal and the holes are) but not how slippery it is. It plans in
# its maximum-likelihood model, and then asks: *what is my plan worth?* First it asks that same model. Then it asks 200 models drawn from
# the posterior. And the world knows the truth.


# %% tags=["experiment"]
def with_rules(transition: Tensor) -> TabularMDP:
    """FrozenLake's goal and holes with the given dynamics: entering the goal pays 1."""
    return TabularMDP(transition, transition[..., 15].clone(), lake.terminal, lake.start)


def what_is_my_plan_worth(tries: int, seed: int, draws: int = 200, prior: float = 1 / 16) -> tuple[float, float, Tensor]:
    """(what the model believes, the truth, what posterior draws say) of a plan made from about `tries` tries of each pair."""
    experience = random_experience(lake, tries * 44, seeded(seed), start=ANYWHERE)
    model = fit_model(experience, 16, 4)
    believed, policy = plan_exactly(with_rules(model.transition), GAMMA)
    counts, generator = model.transition * model.counts[..., None], seeded(seed)
    sampled = [policy_value(with_rules(sample_posterior_model(counts, prior, generator)), policy, GAMMA)[0] for _ in range(draws)]
    return float(believed[0]), float(policy_value(lake, policy, GAMMA)[0]), torch.stack(sampled)


TRIES = (5, 25, 250)


def ask_the_posterior() -> list[tuple[float, float, Tensor]]:
    """One plan for each amount of data in `TRIES`; prints the averages over ten data sets."""
    for tries in TRIES:
        runs = [what_is_my_plan_worth(tries, seed, draws=20) for seed in range(10)]
        believed, posterior, true = torch.tensor([(b, s.mean(), t) for b, t, s in runs]).mean(0).tolist()
        said = f"the model believes {believed:.3f}, its posterior {posterior:.3f}, the truth is {true:.3f}"
        print(f"{tries:3} tries per pair, mean of 10 data sets: {said}")
    return [what_is_my_plan_worth(tries, seed=1) for tries in TRIES]


plans = attempt(ask_the_posterior)


# %% tags=["figure"]
def draw_posterior(figure):
    axes = figure.subplots(1, len(TRIES), sharex=True)
    for ax, tries, (believed, true, sampled) in zip(axes, TRIES, plans[:]):
        ax.hist(sampled.tolist(), bins=24, range=(0, 0.8), color=plots.SKY)
        ax.axvline(believed, color=plots.RED, ls="--", label="the model believes")
        ax.axvline(true, color="#111827", label="the truth")
        ax.set_title(f"about {tries} tries per pair")
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    axes[1].set_xlabel("value of the plan at the start")
    axes[-1].legend(fontsize=8)


plots.show(
    draw_posterior,
    alt="Histograms of a plan's value under 200 posterior models, for about 5, 25 and 250 tries per pair: wide where data is thin, and for "
    "the most part lower than the model believes",
    width=7.2,
    height=2.7,
)

# %% [markdown]
# Over {measured:posterior.seeds} data sets, with about 5 tries of each pair, the model says {measured:posterior.5.believed:.2f} and
# the plan is worth {measured:posterior.5.true:.2f}. A planner searches for whatever the model makes look good, its mistakes included, so
# its own estimate is too high. The posterior is less wrong, {measured:posterior.5.sixteenth:.2f} on average, and it says that it is unsure:
# its draws differ by {measured:posterior.5.spread_sixteenth:.2f} (standard deviation). But it is still too high: it is asked about a plan
# that was chosen *because* these data make it look good. And its answer depends on the prior, which is our choice: with 1 instead of 1/16
# in every entry the mean is {measured:posterior.5.one:.2f} and the spread {measured:posterior.5.spread_one:.2f}. With 250 tries of each pair
# all of them are near the exact value: {measured:posterior.250.believed:.2f}, {measured:posterior.250.sixteenth:.2f} and
# {measured:posterior.250.one:.2f}, where the plan is worth {measured:posterior.250.true:.2f}.
#
# Planning in a fresh posterior draw in each episode also explores: pairs the agent is unsure of look good in *some* draws.


# %% [markdown]
# ## 7 · The same experience, three ways
# Last, a task with 500 states. Taxi: random play from anywhere gives $n$ steps. Three learners get these same steps:
#
# - **once**: one pass of `q_learning_update` over them, in order;
# - **replay**: the steps are kept, and 60,000 of them, drawn at random, are learned from again, without a model;
# - **model**: fit your model, then 60,000 imagined updates.
#
# All act greedily in the world afterwards, and your `policy_value` says what that is worth from the task's start states. Before you run
# it: how much do you expect the model to gain over replay?

# %% tags=["experiment"]
UPDATES = 60_000


def replay(lived: Experience, generator: torch.Generator) -> Tensor:
    """Experience replay: Q-learning on remembered steps, drawn at random, and no model (Lin 1992)."""
    q, steps = torch.zeros_like(taxi.reward), lived.steps()
    for i in torch.randint(len(steps), (UPDATES,), generator=generator).tolist():
        q = q_learning_update(q, *steps[i], 1.0, GAMMA)
    return q


def three_ways(lived: Experience, seed: int) -> list[float]:
    """Expected returns of the greedy policies: each step used once, replayed, planned with."""
    once = torch.zeros_like(taxi.reward)
    for step in lived.steps():
        once = q_learning_update(once, *step, 1.0, GAMMA)
    planned = q_planning(fit_model(lived, taxi.n_states, taxi.n_actions), UPDATES, 1.0, GAMMA, seeded(100 + seed))
    tables = (once, replay(lived, seeded(200 + seed)), planned)
    return [float(policy_value(taxi, greedy_policy(q), GAMMA) @ taxi.start) for q in tables]


def compare_on_taxi(amounts: tuple[int, ...] = (5000, 15_000, 40_000), seed: int = 0) -> tuple[tuple[int, ...], Tensor, float]:
    """The amounts of experience, the returns (n, 3), and the best possible return."""
    somewhere = (taxi.reachable() & ~taxi.terminal).double()
    experience = random_experience(taxi, max(amounts), seeded(seed), max_steps=20, start=somewhere)
    returns = torch.tensor([three_ways(experience.first(n), seed) for n in tqdm(amounts, desc="Taxi", leave=False)])
    return amounts, returns, float(plan_exactly(taxi, GAMMA)[0] @ taxi.start)


taxi_result = attempt(compare_on_taxi)


# %% tags=["figure"]
def draw_taxi(figure):
    amounts, returns, best = taxi_result[:]
    ax = figure.subplots()
    labels = ("each step used once", f"replay: no model, {UPDATES:,} updates", f"model: fit, then {UPDATES:,} updates")
    for column, (label, color, line) in enumerate(zip(labels, (plots.GREY, plots.ORANGE, plots.BLUE), ("o-", "s--", "o-"))):
        ax.plot(amounts, returns[:, column], line, color=color, label=label)
    ax.axhline(best, color="#111827", lw=1, ls=":")
    ax.text(amounts[0], best + 2, f"the best policy: {best:.2f}", fontsize=8, va="bottom")
    ax.set(xscale="log", xlabel="real steps of random play", ylabel="expected discounted return", ylim=(-78, 10))
    ax.set_xticks(amounts, [f"{n:,}" for n in amounts])
    ax.minorticks_off()
    ax.legend(loc="lower right")


plots.show(
    draw_taxi,
    alt="Taxi, expected return against 5,000, 15,000 and 40,000 real steps. Replay and planning in a model rise together to the best "
    "policy's value; each step used once stays below them, far below at 15,000",
    width=6.4,
    height=3.1,
)

# %% [markdown]
# Expected returns, means over {measured:taxi.seeds} seeds with the least and the largest (the best policy has {measured:taxi.best:.2f}):
#
# | real steps | once | replay | model |
# | --- | --- | --- | --- |
# | 5,000 | {measured:taxi.5000.once:.1f} ({measured:taxi.5000.once.range:.1f}) | {measured:taxi.5000.replay:.1f} ({measured:taxi.5000.replay.range:.1f}) | {measured:taxi.5000.planned:.1f} ({measured:taxi.5000.planned.range:.1f}) |
# | 15,000 | {measured:taxi.15000.once:.1f} ({measured:taxi.15000.once.range:.1f}) | {measured:taxi.15000.replay:.1f} ({measured:taxi.15000.replay.range:.1f}) | {measured:taxi.15000.planned:.1f} ({measured:taxi.15000.planned.range:.1f}) |
# | 40,000 | {measured:taxi.40000.once:.2f} ({measured:taxi.40000.once.range:.2f}) | {measured:taxi.40000.replay:.2f} ({measured:taxi.40000.replay.range:.2f}) | {measured:taxi.40000.planned:.2f} ({measured:taxi.40000.planned.range:.2f}) |
#
# What makes the difference is to use each step *again*; whether through a model or from memory hardly matters here. (With few steps
# it helps in most runs, not in all.) That memory does as well is no surprise for a table: the counts of your model and the list of steps hold the same information, and drawing from one is like drawing from the
# other (for the evaluation of a policy van Seijen & Sutton 2015 prove that the two can be exactly the same). Only the choice of pairs differs, evenly or as often as they were lived through, and that is what is
# left at 40,000 steps. A model gains more where it knows more than the list: where it generalises to pairs that nobody has tried, where it
# can be asked about the pairs that one chooses, and where it tells how sure it is. Tables do the last two; generalising is what the rest of
# this course is about.

# %% [markdown]
# ## 8 · Where this leads
# **Pros** of model-based RL: learning a model is supervised learning, with all its tricks and its large data; and it can reason about
# uncertainty. **Cons**: a model of $T$ comes first, the value is estimated from that, and so there are two (or more) sources of error.
#
# And a table is a very small model. Suppose the state is a *text*. With a vocabulary of 50,257 tokens and texts of 1,024 tokens (GPT-2's
# numbers) there are $50257^{1024} \approx 10^{4814}$ states. Nearly every state an agent meets is one it has never met: in your
# `fit_model`, an all-zero row. Counting cannot generalise from one sentence to the next; a function approximator has to.
#
# That was the bottleneck of deep RL: *the function approximator needs to be good for the task*. Convolutional networks were great for
# Atari (Mnih et al. 2015) and then Go (Silver et al. 2016): what matters in a picture or on a board is mostly local, and a pattern means
# the same wherever it stands. In language what matters for a word can stand anywhere before it, and *which* earlier word matters depends
# on the content. A convolution looks at a fixed window: the number of layers between two distant words grows with their distance (Vaswani
# et al. 2017, §4), and the same weights apply whatever the words say.
#
# What is missing is a layer that decides *where to look* from *what is there*. The lecture's next slide says it in two words:
# **pay attention**. That is lesson 02.

# %% [markdown]
# ## Written question · 3 points
# A warehouse robot plans in a model learned from 300 real steps. Its planner reports that the plan is worth **0.42**; run for real, the
# plan earns **0.06** on average. A colleague says: "Planning has not converged. Give it a hundred times more planning steps."
#
# (a) Name the two sources of error, and say which quantity you would compute to measure each one here. (b) Is the colleague likely to be
# right? Could more planning even make the real result *worse*? Why is the report too high rather than too low? (c) Propose one change to
# what the robot does or reports that addresses the source you believe in, and say what you expect to see.

# %% [markdown] question="two_errors_in_practice" points=3
# ### BEGIN SOLUTION
# (a) The model's error, ‖V\*_η − V\*‖: solve the learned model exactly (policy iteration) and compare with the world, or, since the world's
# V\* is not known, compare the plan's exact value *in the model* with its average return *in the world*. Planning's own error, ‖V̂ −
# V\*_η‖: compare the planner's table with the exact solution of the same model; no real step is needed.
#
# (b) Probably not. The gap of 0.36 is between model and world; planning error can be measured without the world and removed by more
# samples, but it only brings V̂ closer to V\*_η, the value in a wrong model. More planning can make the real result worse: it finds ever
# better ways of using the model's mistakes (pairs tried once or twice that happened to go well). The report is too high because the
# planner maximises over noisy estimates: it selects what is overestimated.
#
# (c) For example: collect more experience where the plan goes and where counts are small; evaluate the plan under posterior draws and
# report mean and spread (expected: lower mean, wide spread at 300 steps, both converging with data); plan for the posterior mean or a
# pessimistic quantile; or explore by posterior sampling. The gap between believed and real value should shrink as counts grow.
#
# **Rubric** — 1 point: names both sources and a quantity that measures each. 1 point: sees that the model is the likely culprit, that
# more planning cannot mend it (and may hurt), and that maximising over errors biases the report upwards. 1 point: a workable change that
# addresses the model's error, with what one would observe.
# ### END SOLUTION

# %% [markdown]
# ## Stretch · prioritized sweeping ●●● · ungraded
# In the corridor, random picking wastes most of its updates on pairs whose target has not changed. **Prioritized sweeping** (Moore &
# Atkeson 1993; Peng & Williams 1993) keeps a queue of pairs by the size of their error, and after changing a state looks only at the
# pairs that *lead to it*.
#
# Use full backups, with no sampling: the target of a pair is $R_\eta(s,a) + \gamma \sum_{s'} T_\eta(s' \mid s,a) \max_{a'} q(s',a')$,
# where a terminal $s'$ counts 0, and set the entry to it ($\alpha = 1$). Start at zero. Stop when no tried pair's error exceeds `theta`,
# or after `max_updates`. Return the table and the number of updates used. Pairs never tried stay 0.
#
# <details><summary>Hint 1</summary>
#
# `heapq` is a min-heap: push negative priorities. An entry may be stale when it is popped; compute its error again.
# </details>


# %% exercise="prioritized_sweeping" tags=["stretch"]
def prioritized_sweeping(
    model: TabularModel, gamma: float, theta: float = 1e-6, max_updates: int = 100_000
) -> tuple[Float[Tensor, "S A"], int]:
    """Plan by full backups, the largest error first: the table and how many updates it
    took (Moore & Atkeson 1993).
    """
    ### BEGIN SOLUTION
    import heapq

    q, updates = torch.zeros_like(model.reward), 0
    goes_on = (~model.terminal).to(q.dtype)
    tried = model.counts > 0

    def target(state: int, action: int) -> Tensor:
        return model.reward[state, action] + gamma * model.transition[state, action] @ (
            q.max(-1).values * goes_on
        )

    def error(pair: tuple[int, int]) -> float:
        return float((target(*pair) - q[pair]).abs())

    pairs = [tuple(pair) for pair in tried.nonzero().tolist()]
    queue = [(-error(pair), pair) for pair in pairs]
    heapq.heapify(queue)
    while queue and updates < max_updates:
        _, pair = heapq.heappop(queue)
        if error(pair) <= theta:
            continue
        q[pair] = target(*pair)
        updates += 1
        for before in (model.transition[..., pair[0]] > 0).nonzero().tolist():
            if error(tuple(before)) > theta:
                heapq.heappush(queue, (-error(tuple(before)), tuple(before)))
    return q, updates
    ### END SOLUTION


# %% check="prioritized_sweeping" points=0
check(prioritized_sweeping)

# %% [markdown]
# ## Stretch · a world that changes ●●● · ungraded
# So far the world stood still, and a pair that was tried could be crossed off. Take this room, with a wall that has one gap, on the left.
# After 1,500 steps the wall opens in a second place, right above the start. Nobody tells the agent.
#
# | 0 | 1 | 2 | 3 | 4 | 5 | 6 |
# | --- | --- | --- | --- | --- | --- | --- |
# | · | · | · | · | · | goal, +1 | · |
# | · | · | · | · | · | · | · |
# | gap | wall | wall | wall | wall | wall: **opens** | wall |
# | · | · | · | · | · | · | · |
# | · | · | · | · | · | start | · |
#
# How would it find out? Its model says that there is a wall, and its plan, right for that model, leads round it. A model that promises too
# much is soon corrected, because the plan goes there and fails. One that promises too *little* is not: no plan goes there.
#
# **Dyna-Q+** (Sutton & Barto 2018, §8.3, after Sutton 1990) trusts a pair less the longer ago it was tried. It differs from Dyna-Q in three things:
#
# 1. **A bonus.** An *imagined* step of a pair that was last tried $\tau$ real steps ago is learned from as if it had paid
#    $\hat r + \kappa\sqrt\tau$. The real update has no bonus, and an imagined step does not count as a try.
# 2. **Every action.** Planning picks a state in which the agent has acted, then any of its actions. One never tried there is imagined to
#    do nothing: reward 0, back to the same state, no end; its $\tau$ is the number of all real steps so far.
# 3. **The newest outcome.** The model of a pair is what happened when it was last tried, not the counts of `fit_model`: those would go on
#    mixing the old world with the new one. (In a world of chance this keeps one draw of many and forgets how likely it was.)
#
# $$q(s,a) \leftarrow q(s,a) + \alpha\,\big[\, \hat r + \kappa\sqrt{\tau(s,a)} + \gamma \max_{a'} q(\hat s', a') - q(s,a) \,\big]$$
#
# where the term with $\gamma$ is 0 after the end, as ever.
#
# *A worked number.* One action, and three real steps: $0 \to 1 \to 2 \to$ end, with rewards −1, 2 and 5. Now the pairs have $\tau = 2$, 1 and
# 0. With $\kappa = 0.5$, $\gamma = 0.9$ and $\alpha = 1$, long planning gives $q(2) = 5$, $q(1) = 2 + 0.5 + 0.9 \cdot 5 = 7$ and
# $q(0) = -1 + 0.5\sqrt 2 + 0.9 \cdot 7 = 6.007$.
#
# ### `dyna_q_plus` (●●●, 30 minutes, no points)
# `worlds` is a list of `(world, n)`: the agent lives `n` real steps in each, one after the other. When the world changes the agent stays
# where it is, and keeps all that it has learned. When an episode ends, the next begins in a state drawn from the `start` of the world at
# that time; episodes have no step limit. Any way of picking that keeps coming back to every pair is right.
#
# <details><summary>Hint 1</summary>
#
# Begin with your `dyna_q`. What has to be kept for each pair now: one outcome, and the number of which real step?
# </details>
# <details><summary>Hint 2</summary>
#
# An episode may begin with the first step of the new world. So draw the start just before it is needed, not when the old episode ends.
# </details>


# %% exercise="dyna_q_plus" tags=["stretch"]
def dyna_q_plus(
    worlds: Sequence[tuple[TabularMDP, int]],
    planning_steps: int,
    alpha: float,
    gamma: float,
    epsilon: float,
    kappa: float,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "S A"], Float[Tensor, "N"]]:
    """Dyna-Q+ (Sutton & Barto 2018, §8.3) in worlds that follow one another: the
    table, and the world's reward of each real step.

    `worlds` holds `(world, number of real steps in it)`, all with the same states and
    actions; the bonus κ √τ is added to imagined rewards only.
    """

    ### BEGIN SOLUTION
    def draw(n: int) -> int:
        return int(torch.randint(n, (), generator=generator))

    q, rewards, state = torch.zeros_like(worlds[0][0].reward), [], None
    newest, last_tried, visited = {}, {}, []
    for world in (world for world, n_steps in worlds for _ in range(n_steps)):
        if state is None:
            state = int(torch.multinomial(world.start, 1, generator=generator))
        action = epsilon_greedy(q[state], epsilon, generator)
        next_state, reward, terminated = world.step(state, action, generator)
        q = q_learning_update(
            q, state, action, reward, next_state, terminated, alpha, gamma
        )
        rewards.append(reward)
        newest[state, action] = reward, next_state, terminated
        last_tried[state, action] = len(rewards)
        if state not in visited:
            visited.append(state)
        for _ in range(planning_steps):
            pair = visited[draw(len(visited))], draw(q.shape[1])
            imagined, landed, ended = newest.get(pair, (0.0, pair[0], False))
            bonus = kappa * (len(rewards) - last_tried.get(pair, 0)) ** 0.5
            q = q_learning_update(
                q, *pair, imagined + bonus, landed, ended, alpha, gamma
            )
        state = None if terminated else next_state
    return q, torch.tensor(rewards, dtype=q.dtype, device=q.device)
    ### END SOLUTION


# %% check="dyna_q_plus" points=0
check(dyna_q_plus)

# %% [markdown]
# Now live 4,000 steps in rooms that change after 1,500. In the first a second gap **opens**: the way gets shorter, from 14 steps to 4. In
# the second the gap **moves** from one side to the other: the old way is blocked. With $\kappa = 0$ there is no bonus; the other two
# differences from Dyna-Q stay. Before you run it: in which room will the bonus matter, and what might it cost?


# %%
ROOM, ROOM_START, ROOM_GOAL = (5, 7), 33, 5
BEFORE, AFTER = 1500, 2500


def room(*gaps: int) -> TabularMDP:
    """A room of 5 × 7 cells with a wall along its third row that is open in the columns `gaps`. Actions: up, right, down, left."""
    (rows, columns), n = ROOM, ROOM[0] * ROOM[1]
    transition, reward = torch.zeros(n, 4, n, dtype=torch.float64), torch.zeros(n, 4, dtype=torch.float64)
    for cell in range(n):
        for a, (down, right) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            row, column = cell // columns + down, cell % columns + right
            free = 0 <= row < rows and 0 <= column < columns and (row != 2 or column in gaps) and cell != ROOM_GOAL
            landed = row * columns + column if free else cell
            transition[cell, a, landed] = 1
            reward[cell, a] = float(free and landed == ROOM_GOAL)
    cells = torch.arange(n)
    return TabularMDP(transition, reward, cells == ROOM_GOAL, (cells == ROOM_START).double())


CHANGES = {"opens": (room(0), room(0, 5)), "moves": (room(6), room(0)), "stays": (room(0), room(0))}


def live(change: str, kappa: float, seed: int, epsilon: float = 0.1) -> Tensor:
    """The rewards of one life in a room that changes, (BEFORE + AFTER,): 1 for each time at the goal."""
    before, after = CHANGES[change]
    return dyna_q_plus([(before, BEFORE), (after, AFTER)], 10, 0.5, GAMMA, epsilon, kappa, seeded(seed))[1]


# %% tags=["experiment"]
def live_in_both(seeds: int = 5) -> dict[str, dict[float, Tensor]]:
    """Rewards so far, (seeds, steps), of each agent in the two rooms that change."""
    agents = {"opens": (0.0, 0.001, 0.01), "moves": (0.0, 0.001)}
    return {
        change: {kappa: torch.stack([live(change, kappa, seed).cumsum(0) for seed in range(seeds)]) for kappa in kappas}
        for change, kappas in tqdm(agents.items(), desc="rooms", leave=False)
    }


lives = attempt(live_in_both)


# %% tags=["figure"]
def draw_lives(figure):
    axes = figure.subplots(1, 2, sharey=True)
    colours = {0.0: plots.GREY, 0.001: plots.BLUE, 0.01: plots.RED}
    for ax, change, title in zip(axes, ("opens", "moves"), ("a second gap opens", "the gap moves")):
        for kappa, rewards in lives[change].items():
            steps = torch.arange(0, rewards.shape[1], 50)
            plots.band(ax, steps.tolist(), rewards[:, steps], f"κ = {kappa:g}", colours[kappa])
        ax.axvline(BEFORE, color="#111827", lw=1, ls=":")
        ax.set(title=title, xlabel="real steps")
    axes[0].set_ylabel("times at the goal so far")
    axes[0].legend()


plots.show(
    draw_lives,
    alt="Times at the goal against real steps, bands over five seeds. Where a second gap opens, κ of 0.001 gets steeper in every run, no "
    "bonus in some runs only, and κ of 0.01 stays near zero. Where the gap moves, both are flat for a while, then rise alike",
    width=7.2,
    height=3.2,
)

# %% [markdown]
# Times at the goal, means over {measured:changing.seeds} seeds. "Found" is the share of runs that take the short way in the last 500 steps.
#
# | the wall | agent | first 1,500 steps | next 2,500 | the last 500 of them | found |
# | --- | --- | --- | --- | --- | --- |
# | opens | no bonus | {measured:changing.opens.plain.before:.0f} | {measured:changing.opens.plain.after:.0f} | {measured:changing.opens.plain.last:.0f} | {measured:changing.opens.plain.found:.0%} |
# | opens | κ = 0.001 | {measured:changing.opens.bonus.before:.0f} | {measured:changing.opens.bonus.after:.0f} | {measured:changing.opens.bonus.last:.0f} | {measured:changing.opens.bonus.found:.0%} |
# | opens | κ = 0.01 | {measured:changing.opens.large.before:.0f} | {measured:changing.opens.large.after:.0f} | {measured:changing.opens.large.last:.0f} | {measured:changing.opens.large.found:.0%} |
# | opens | no bonus, ε = 0.3 | {measured:changing.opens.chance.before:.0f} | {measured:changing.opens.chance.after:.0f} | {measured:changing.opens.chance.last:.0f} | {measured:changing.opens.chance.found:.0%} |
# | moves | no bonus | {measured:changing.moves.plain.before:.0f} | {measured:changing.moves.plain.after:.0f} | {measured:changing.moves.plain.last:.0f} | |
# | moves | κ = 0.001 | {measured:changing.moves.bonus.before:.0f} | {measured:changing.moves.bonus.after:.0f} | {measured:changing.moves.bonus.last:.0f} | |
# | moves | Dyna-Q: tried actions only | {measured:tried_only.before:.0f} | {measured:tried_only.after:.0f} | {measured:tried_only.last:.0f} | |
# | stays | no bonus | {measured:changing.stays.plain.before:.0f} | {measured:changing.stays.plain.after:.0f} | {measured:changing.stays.plain.last:.0f} | |
# | stays | κ = 0.001 | {measured:changing.stays.bonus.before:.0f} | {measured:changing.stays.bonus.after:.0f} | {measured:changing.stays.bonus.last:.0f} | |
#
# - **The world gets better.** Where the gap opens, the bonus with κ = 0.001 finds it in every run. Without a bonus only luck does: a random step, one in
#   ten, has to lead into a wall that the plan avoids. Here the gap is two cells above the start, so luck has a chance. Before the gap opens,
#   the goal itself is a matter of luck: another run without a bonus may not find it in the first 1,500 steps. More luck (ε = 0.3)
#   helps less than the bonus and costs more, since random steps also leave the way that is known to be good.
# - **The world gets worse.** Where the gap moves, the plan itself leads to the wall and fails, and the newest outcome corrects the model.
#   Both agents find the other gap in every run, with the bonus or without. But the newest outcome is not enough: *every action* is what
#   finds the gap. The row "Dyna-Q" has the newest outcome too, and plans with tried actions only. It comes to the goal
#   again, in the last 500 steps, in {measured:tried_only.again:.0%} of the runs. The values of the actions that it has tried shrink once the plan
#   fails, but stay above the 0 of those that it has not, so a greedy step never takes one of these.
# - **The bonus has a price.** Where nothing changes it is a cost: {measured:changing.stays.bonus.after:.0f} times at the goal instead of
#   {measured:changing.stays.plain.after:.0f}, since the agent tries again what it knows. And κ has to fit the rewards. A pair that was not
#   tried for 400 steps has a bonus of 20 κ. An agent that could collect as much at every step would have
#   $20\,\kappa / (1 - 0.95) = 400\,\kappa$: with κ = 0.001 that is 0.4, less than the goal's 1; with κ = 0.01 it is 4, and the goal hardly counts. With a third of the
#   smaller one, κ = 0.0003, luck decides again: the opened gap is found in {measured:smaller_bonus.found:.0%} of the runs.
#
# The bonus is a rule of thumb. Posterior sampling (section 6) also looks again where it is unsure, but a posterior that counts every try for ever
# gets surer and surer; in a changing world it, too, would have to forget.

# %% [markdown]
# ## Stretch · expected or sample updates? ●●○ · ungraded
# Planning by samples asks the model for *one* next state. A model that is a table can do better: it knows the probability of every next
# state, so it can take the mean over all of them. That is an **expected update** (Sutton & Barto 2018, §8.5), the kind that prioritized sweeping
# uses:
#
# $$q(s,a) \leftarrow R_\eta(s,a) + \gamma \sum_{s'} T_\eta(s' \mid s,a) \, \max_{a'} q(s', a')$$
#
# where a terminal $s'$ counts 0. There is no $\alpha$, because there is no noise to average out. But it has a price: with $b$ possible next
# states it looks up $b$ maxima where a sample update looks up one.
#
# *A worked number.* A pair with reward −1 leads to three states with probabilities 0.5, 0.25 and 0.25; the best entries there are 4, 2 and 8, and
# the last one is terminal. With $\gamma = 0.9$ the new entry is $-1 + 0.9 \,(0.5 \cdot 4 + 0.25 \cdot 2 + 0) = 1.25$.
#
# ### `expected_update` (●●○, 10 minutes, no points)
# <details><summary>Hint 1</summary>
#
# A row of the model and a vector with one number for each state: what is the sum of their products?
# </details>


# %% exercise="expected_update" tags=["stretch"]
def expected_update(
    q: Float[Tensor, "S A"], model: TabularModel, state: int, action: int, gamma: float
) -> Float[Tensor, "S A"]:
    """A new table: `q` with the entry of one tried pair set to its expected target in
    the model (Sutton & Barto 2018, §8.5).

    A terminal next state is worth 0. `q` itself is not changed, and the result is
    differentiable in it.
    """
    ### BEGIN SOLUTION
    worth = q.max(-1).values.masked_fill(model.terminal, 0)
    updated = q.clone()
    updated[state, action] = (
        model.reward[state, action] + gamma * model.transition[state, action] @ worth
    )
    return updated
    ### END SOLUTION


# %% check="expected_update" points=0
check(expected_update)

# %% [markdown]
# What does one get for the same computation? Take one pair with $b$ next states, all as likely, whose values are right and are drawn from a normal
# distribution of spread 1. The entry starts wrong by 1. Sample updates with $\alpha = 1/t$ average the first $t$ samples. Count the maxima that
# are looked up. Before you run it: which is better for $b = 2$, and which for $b = 100$?


# %%
BRANCHES = (2, 10, 100)


def fan(b: int, generator: torch.Generator) -> tuple[TabularModel, Tensor]:
    """A model of one pair with `b` equally likely next states, and a table with their values, in which the pair's own entry is 1 too large."""
    model = TabularModel.from_rows({(0, 0): (0.0, {s: 1 / b for s in range(1, b + 1)})}, b + 1, 1)
    q = torch.randn(b + 1, 1, generator=generator, dtype=torch.float64)
    q[0, 0] = q[1:, 0].mean() + 1.0
    return model, q


def sample_error(b: int, updates: int, repeats: int, generator: torch.Generator) -> Tensor:
    """The root mean square error of the entry after 1, 2, …, `updates` sample updates with α = 1/t, (updates,)."""
    squares = torch.zeros(updates, dtype=torch.float64)
    for _ in range(repeats):
        model, q = fan(b, generator)
        truth = expected_update(q, model, 0, 0, 1.0)[0, 0]
        for t in range(1, updates + 1):
            next_state, reward, terminated = sample_model(model, 0, 0, generator)
            q = q_learning_update(q, 0, 0, reward, next_state, terminated, 1 / t, 1.0)
            squares[t - 1] += (q[0, 0] - truth) ** 2 / repeats
    return squares.sqrt()


# %% tags=["experiment"]
def compare_updates() -> dict[int, Tensor]:
    """Errors of sample updates up to twice the price of one expected update, by the number of next states."""
    return {b: sample_error(b, 2 * b, 50, seeded(b)) for b in BRANCHES}


update_errors = attempt(compare_updates)


# %% tags=["figure"]
def draw_updates(figure):
    ax = figure.subplots()
    for b, ink in zip(BRANCHES, (plots.ORANGE, plots.GREEN, plots.BLUE)):
        share = torch.arange(1, 2 * b + 1) / b
        ax.plot(share.tolist(), update_errors[b].tolist(), color=ink, label=f"sample updates, b = {b}")
    ax.plot([0, 1, 1, 2], [1, 1, 0, 0], color="#111827", lw=1.2, ls="--", label="one expected update")
    ax.set(xlabel="maxima looked up, in units of b", ylabel="error of the entry", ylim=(-0.04, 1.1))
    ax.legend()


plots.show(
    draw_updates,
    alt="Error of one entry against computation in units of b, the number of next states. An expected update has the error 1 until it is done, "
    "then 0. Sample updates fall at once, the faster in these units the larger b is, and are above 0 at the end",
    width=6.4,
    height=3.0,
)

# %% [markdown]
# An expected update is worth nothing until it is done, and is exact then. Samples help at once: with $b = 100$, a tenth of that price leaves an error of
# {measured:updates.fans.100.tenth:.2f}, and the whole price {measured:updates.fans.100.whole:.2f}. With $b = 2$ the whole price leaves
# {measured:updates.fans.2.whole:.2f} (means over {measured:updates.seeds} seeds). In theory it is $\sqrt{(b-1)/(b\,t)}$ after $t$ samples. So the more next states,
# the better are samples, above all where there is not time enough for an expected update of every pair. (The picture is kind to expected
# updates: the values of the next states are right in it. While planning goes on they are not, and then no update is exact.)
#
# Where there are few, it is the other way round. FrozenLake has at most three. Plan in one model of 20,000 real steps, with 20,000 maxima for
# each kind: expected updates of randomly picked pairs leave a mean error of {measured:updates.lake.expected:.0e}, your `q_planning` with
# $\alpha = 0.1$ one of {measured:updates.lake.samples:.2f}: the noise that section 6 found, which expected updates do not have. And a language model
# as the world (lesson 08)? Its next states are texts, far too many to list: there only samples are left.

# %% [markdown]
# ## Sources
# - Watkins (1989), *Learning from Delayed Rewards*, PhD thesis, Cambridge; Rummery and Niranjan (1994), *On-Line Q-Learning Using
#   Connectionist Systems*, Cambridge; Sutton (1996), *Generalization in Reinforcement Learning*, NIPS 8.
# - Sutton (1990), *Integrated Architectures for Learning, Planning, and Reacting Based on Approximating Dynamic Programming*, ICML; Sutton
#   and Barto (2018), *Reinforcement Learning: An Introduction*, second edition, MIT Press.
# - Lin (1992), *Self-Improving Reactive Agents Based on Reinforcement Learning, Planning and Teaching*, Machine Learning 8; van Seijen and
#   Sutton (2015), *A Deeper Look at Planning as Learning from Replay*, ICML.
# - Howard (1960), *Dynamic Programming and Markov Processes*, Technology Press of MIT and Wiley; Moore and Atkeson (1993), *Prioritized Sweeping*, Machine Learning
#   13; Peng and Williams (1993), *Efficient Learning and Planning Within the Dyna Framework*, Adaptive Behavior 1.
# - Strens (2000), *A Bayesian Framework for Reinforcement Learning*, ICML; Osband, Russo and Van Roy (2013), *(More) Efficient Reinforcement
#   Learning via Posterior Sampling*, NeurIPS.
# - Dietterich (2000), *Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition*, JAIR 13.
# - Mnih et al. (2015), *Human-level control through deep reinforcement learning*, Nature 518; Silver et al. (2016), *Mastering the game of
#   Go with deep neural networks and tree search*, Nature 529; Vaswani et al. (2017), *Attention Is All You Need*, NeurIPS.
#
# ## Your score


# %% tags=["figure"]
lesson.scoreboard()
