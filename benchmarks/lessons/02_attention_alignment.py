"""Lesson 02's numbers: dates through one vector (as in the lesson, trained longer) and with looking back, and ways to score."""

from autograde.authoring.measuring.experiments import experiment


def right(lesson, model, test):
    """Shares of single dates and of periods written without a mistake."""
    found = lesson.seq2seq.exact_matches(model, test).double()
    return {"single": float(found[: lesson.N_TEST].mean()), "period": float(found[lesson.N_TEST :].mean())}


@experiment("one_vector", seeds=range(10), steps=1100, examples=1100 * 64)
def one_vector(lesson, seed):
    """The encoder–decoder without attention as the lesson trains it: runs differ more than others do, so there are more."""
    train, test = lesson.make_data()
    return right(lesson, lesson.train_one_vector(train, seed, steps=1100), test)


@experiment("looking", steps=600, examples=600 * 32)
def looking(lesson, seed):
    """The decoder with attention: its accuracy, and where it looks in the two sources of the figures."""
    train, test = lesson.make_data()
    model = lesson.train_looking(train, seed, steps=600)
    return {**right(lesson, model, test), "look": looks(lesson, model)}


def looks(lesson, model):
    """Of the weight of some rows, the mean share on a part of the source, one character around it included."""
    wednesday, period = (lesson.seq2seq.look(model, pair) for pair in (lesson.WEDNESDAY, lesson.PERIOD))

    def share(weights, pair, rows, part):
        start = pair.source.index(part)
        return float(weights[rows, max(start - 1, 0) : start + len(part) + 1].sum(-1).mean())

    source = lesson.PERIOD.source
    first, second = source.split(" – ")
    return {
        "year": share(wednesday, lesson.WEDNESDAY, [0, 1, 2, 3], "1987"),
        "month": share(wednesday, lesson.WEDNESDAY, [5, 6], "setembro"),
        "day": share(wednesday, lesson.WEDNESDAY, [8, 9], "24"),
        "first": share(period, lesson.PERIOD, list(range(10)), first),
        "second": share(period, lesson.PERIOD, list(range(11, 21)), second),
    }


@experiment("scores", steps=300)
def scores(lesson, seed):
    """Exact matches on single dates for each way to weigh the source, and for the cosine multiplied by eight."""
    train, test = lesson.make_data()
    found = {}
    for name in [*lesson.score_models(), lesson.SHARPENED]:
        model = lesson.train_scored(name, train[: lesson.N_TRAIN], seed)
        found[name] = float(lesson.seq2seq.exact_matches(model, test[: lesson.N_TEST]).double().mean())
    return found


@experiment("scores_longer", steps=1200)
def scores_longer(lesson, seed):
    """The scores that come last after the short training, trained four times as long: budget is a rival here, too."""
    train, test = lesson.make_data()
    found = {}
    for name in ("content-based", "location-based", "local-p"):
        model = lesson.train_scored(name, train[: lesson.N_TRAIN], seed, steps=1200)
        found[name] = lesson.seq2seq.exact_matches(model, test[: lesson.N_TEST]).double().mean()
    return found


@experiment("table", seeds=(0,))
def table(lesson, seed):
    """Of the hand-made table: how many times the least weight of a row the cosine's largest one is, at most."""
    weights = lesson.alignment_weights(lesson.score_table()["content-based"]())
    return {"ratio": float((weights.amax(-1) / weights.amin(-1)).max())}


@experiment("longer", steps=3300, examples=3300 * 64)
def longer(lesson, seed):
    """The same vector of 64 numbers, trained three times as long: budget is the rival of capacity."""
    train, test = lesson.make_data()
    return right(lesson, lesson.train_one_vector(train, seed, steps=3300), test)
