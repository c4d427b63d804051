"""What an exception of PyTorch or Python says, as a sentence about the student's own code: no name of a kernel, an operator or a check."""

from __future__ import annotations

import re
from collections.abc import Callable

NO_RETURN = "Expected a result, got nothing (is a `return` missing?)"
IN_PLACE = "A tensor that the gradient still needs is changed in place (`+=`, `x[…] = …`, a method whose name ends in `_`): make a new tensor instead"
SENTENCES: tuple[tuple[str, str], ...] = (  # (pattern of a message, sentence with its groups)
    (
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        "A matrix product does not fit, ({0}, {1}) @ ({2}, {3}): rows of {1} numbers meet columns of {2}",
    ),
    (
        r"size mismatch, got input \((\d+)\), mat \((\d+)x(\d+)\), vec \((\d+)\)",
        "A matrix product does not fit, ({1}, {2}) @ ({3},): rows of {2} numbers meet a vector of {3}",
    ),
    (
        r"Expected size for first two dimensions of batch2 tensor to be: \[(\d+), (\d+)\] but got: \[(\d+), (\d+)\]",
        "A matrix product does not fit: the second factor must begin with the dimensions ({0}, {1}) and begins with ({2}, {3})",
    ),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)",
        "Two tensors do not fit together: dimension {2} has size {0} in one and {1} in the other (they must be equal, or one of them 1)",
    ),
    (
        r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size (\d+)",
        "Tensors that are joined along dimension {0} differ in another one: {1} and {2}",
    ),
    (
        r"shape '\[([-\d, ]*)\]' is invalid for input of size (\d+)",
        "A tensor of {1} numbers cannot get the shape ({0}), which needs another number of them",
    ),
    (
        r"view size is not compatible with input tensor's size and stride",
        "`view` wants numbers that lie in order in memory, and after a `transpose` they do not: use `reshape`",
    ),
    (
        r"Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got (-?\d+)\)",
        "Dimension {2} is asked of a tensor whose dimensions are {0} to {1}",
    ),
    (
        r"Tensors must have same number of dimensions: got (\d+) and (\d+)",
        "Tensors that are joined have {0} and {1} dimensions: they must have as many",
    ),
    (r"too many indices for tensor of dimension (\d+)", "A tensor with {0} dimension(s) gets more indices than it has dimensions"),
    (
        r"the number of sizes provided \((\d+)\) must be greater or equal to the number of dimensions in the tensor \((\d+)\)",
        "`expand` gets {0} sizes for a tensor of {1} dimensions: give one for each",
    ),
    (r"modified by an inplace operation|being used in an in-place operation|view of a leaf Variable", IN_PLACE),
    (
        r"single memory location|refer to the same memory|written-to tensor",
        "A tensor made by `expand` is written to, and its entries share their memory: make a new tensor, or `clone()` it first",
    ),
    (
        r"does not require grad",
        "No gradient can be computed: something is cut off by `detach`, `item()`, `.data` or `no_grad`, or made with requires_grad=False",
    ),
    (
        r"have the same dtype, but got|expected scalar type \w+ but found \w+",
        "Two tensors of different dtypes meet: make new tensors in the dtype of the inputs (dtype=x.dtype)",
    ),
    (r"\"\w+\" not implemented for '(\w+)'", "An operation does not work on tensors of dtype {0}: convert them first"),
    (
        r"Boolean value of Tensor with (?:more than one value|no values) is ambiguous",
        "A tensor of several values stands where one true or false is wanted (`if`, `and`, `not`): use torch.where, or `&`, `|` and `~`",
    ),
    (
        r"only one element tensors can be converted|only integer tensors of a single element|Tensor with \d+ elements cannot be converted",
        "A tensor of several numbers stands where one number is wanted",
    ),
    (r"sum of probabilities <= 0", "A token, or an action, is to be drawn where all have probability 0"),
    (r"probability tensor contains either", "Something is to be drawn with probabilities that are NaN, infinite or below 0"),
    (r"index out of range in self", "An embedding has no row for an id or a position that it is asked for: it is too large, or negative"),
    (r"selected index k out of range", "`topk` is asked for more entries than there are"),
    (r"'NoneType' object has no attribute|object of type 'NoneType'|'NoneType' object is not", NO_RETURN),
)
_PATTERNS = tuple((re.compile(pattern), sentence) for pattern, sentence in SENTENCES)
LOADING = re.compile(r"Error\(s\) in loading state_dict for (\w+):")
MISMATCH = re.compile(
    r"size mismatch for ([\w.]+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from checkpoint, "
    r"the shape in current model is torch\.Size\(\[([\d, ]*)\]\)"
)
CALLS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"([\w.<>]+)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were) given"),
        lambda found: f"it takes {found[2]} and gets {found[3]} (in a class, `self` counts)",
    ),
    (re.compile(r"([\w.<>]+)\(\) missing \d+ required [\w-]+ arguments?: (.+)"), lambda found: f"it wants {found[2]} as well"),
    (re.compile(r"([\w.<>]+)\(\) got an unexpected keyword argument '(\w+)'"), lambda found: f"it has no `{found[2]}`"),
)


def in_words(message: str) -> str:
    """The sentence for what an exception says, whoever raised it; nothing for one that is not known."""
    if loading := LOADING.search(message):
        return _other_parameters(loading[1], message)
    if message.startswith(("the function gives a ", "the result has the shape ")):  # the words of `gradients`
        return message[0].upper() + message[1:]
    for pattern, sentence in _PATTERNS:
        if found := pattern.search(message):
            return sentence.format(*(group or "" for group in found.groups()))
    return ""


def of_a_call(message: str) -> str:
    """The sentence for a TypeError of the call that a check makes; nothing for another error."""
    for pattern, sentence in CALLS:
        if found := pattern.search(message):
            name = found[1].removesuffix(".forward").removesuffix(".__init__").rpartition("<locals>.")[2]
            return f"`{name}` has not the parameters of the exercise's signature, {sentence(found)}: take them over as they stand there"
    return ""


def _other_parameters(name: str, message: str) -> str:
    """How the parameters of a module differ from those that a check loads into it."""
    told = [f"`{key}` has the shape ({has}) and should have ({wanted})" for key, wanted, has in MISMATCH.findall(message)]
    lacking, surplus = _keys("Unexpected", message), _keys("Missing", message)
    told += [f"there is no {lacking}"] if lacking else []
    told += [f"{surplus} should not be there"] if surplus else []
    return f"The parameters of {name} are not those that the exercise names: {'; '.join(told) or 'see its text'}"


def _keys(kind: str, message: str) -> str:
    found = re.search(rf"{kind} key\(s\) in state_dict: ((?:\"[\w.]+\"(?:, )?)+)", message)
    return ", ".join(f"`{key}`" for key in re.findall(r"\"([\w.]+)\"", found[1])) if found else ""
