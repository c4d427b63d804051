"""A third set of held-out answers to lesson 06: other ways to cut a word."""

from autograde.authoring.strength.mutation import misconception


@misconception("wordpiece_encode", "The word is cut from its end: the longest piece at its beginning comes first.")
def from_the_end_marks(word, vocabulary, unknown="[UNK]"):
    pieces, end = [], len(word)
    while end:
        for start in range(end):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                end = start
                break
        else:
            return [unknown]
    return pieces[::-1]


@misconception("wordpiece_encode", "longest piece anywhere, then both sides")
def anywhere(word, vocabulary, unknown="[UNK]"):
    def cut(left, first):
        if not left:
            return []
        for n in range(len(left), 0, -1):
            for start in range(len(left) - n + 1):
                piece = ("" if first and start == 0 else "##") + left[start : start + n]
                if piece in vocabulary:
                    a, b = cut(left[:start], first), cut(left[start + n :], False)
                    if a is not None and b is not None:
                        return [*a, piece, *b]
        return None

    found = cut(word, True)
    return [unknown] if found is None else found


@misconception("wordpiece_encode", "from the end, reversed order")
def from_the_end_reversed(word, vocabulary, unknown="[UNK]"):
    return from_the_end_marks(word, vocabulary, unknown)[::-1]
