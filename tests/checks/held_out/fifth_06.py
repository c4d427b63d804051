"""A fifth set of held-out answers to lesson 06: words joined by spaces, as the first programs for BPE kept them."""

import re

from autograde.authoring.strength.mutation import misconception


@misconception("merge_pair", "symbols of white space are lost")
def joined_by_spaces(word, pair):
    whole = rb"(?<!\S)" + re.escape(b" ".join(pair)) + rb"(?!\S)"
    return tuple(re.sub(whole, lambda _: b"".join(pair), b" ".join(word)).split())


@misconception("merge_pair", "a space between symbols of white space is taken for a symbol's end")
def joined_by_spaces_and_cut_at_each(word, pair):
    joined = b" " + b" ".join(word) + b" "
    whole = b" " + b" ".join(pair) + b" "
    while whole in joined:
        joined = joined.replace(whole, b" " + b"".join(pair) + b" ")
    return tuple(joined[1:-1].split(b" ")) if word else ()
