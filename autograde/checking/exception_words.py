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
    (
        r"einsum\(\): subscript (\w) has size (\d+) for operand \d+ which does not broadcast with previously seen size (\d+)",
        "In `einsum` the letter {0} stands for {2} numbers in one tensor and for {1} in another",
    ),
    (
        r"einsum\(\): the number of subscripts in the equation \((\d+)\) does not match the number of dimensions \((\d+)\)",
        "`einsum` gets {0} letters for a tensor of {1} dimensions (`...` stands for any number of them)",
    ),
    (
        r"expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\) at non-singleton dimension (\d+)",
        "Dimension {2} has size {1} and cannot be stretched to {0}: only a dimension of size 1 can",
    ),
    (
        r"\(operator\.invert\) is only implemented on",
        "`~` turns a boolean mask around, and this tensor holds numbers: compare them first (`x != 0`)",
    ),
    (
        r"masked_fill_? only supports boolean masks",
        "`masked_fill` wants a boolean mask, and this one holds numbers: compare them first (`mask == 0`)",
    ),
    (
        r"where expected condition to be a boolean tensor",
        "`torch.where` wants a boolean condition, and this one holds numbers: compare them first (`x > 0`)",
    ),
    (
        r"shape of the mask \[([\d, ]*)\] at index \d+ does not match the shape of the indexed tensor \[([\d, ]*)\]",
        "A boolean mask of the shape ({0}) is put as an index into a tensor of the shape ({1}): they must be alike",
    ),
    (
        r"stack expects each tensor to be equal size, but got \[([\d, ]*)\] at entry 0 and \[([\d, ]*)\] at entry (\d+)",
        "Tensors that are stacked must have one shape: the first has ({0}), number {2} (counted from 0) has ({1})",
    ),
    (r"expects a non-empty TensorList|expected a non-empty list of Tensors", "No tensor is there to be joined: the list is empty"),
    (
        r"zero-dimensional tensor \(at position \d+\) cannot be concatenated",
        "A single number is to be joined with tensors: give it a dimension (`x[None]`), or use `torch.stack`",
    ),
    (
        r"prob_dist must be 1 or 2 dim",
        "`torch.multinomial` draws from one row, or from a table of rows: bring the probabilities into two dimensions",
    ),
    (
        r"unflatten: Provided sizes \[([\d, -]*)\] don't multiply up to the size of dim -?\d+ \((\d+)\)",
        "A dimension of size {1} is to be cut into ({0}), and the product of these is another number",
    ),
    (
        r"split_sizes to sum exactly to (\d+) .* but got split_sizes=\[([\d, ]*)\]",
        "A dimension of size {0} is to be split into pieces of ({1}), and their sum is another number",
    ),
    (r"batch1 must be a 3D tensor|batch2 must be a 3D tensor", "`torch.bmm` takes three dimensions each: `@` takes any number of them"),
    (
        r"`?mT`? is only supported on matrices or batches of matrices",
        "`.mT` turns around the last two dimensions, and this tensor has fewer",
    ),
    (
        r"Expected tensor for argument #1 'indices'",
        "An embedding is asked with numbers that are no whole ones: ids and positions are integers (`.long()`)",
    ),
    (
        r"(\w+)\(\): argument 'input' \(position 1\) must be Tensor, not (\w+)",
        "`torch.{0}` takes a tensor and gets a Python {1}: make a tensor of it, or use Python's `math`",
    ),
    (
        r"permute\(.*input\.dim\(\) = (\d+) is not equal to len\(dims\) = (\d+)",
        "`permute` gets {1} dimensions of a tensor that has {0}: name each of them once",
    ),
    (
        r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)",
        "Index {0} is out of range: dimension {1} has size {2}, and its indices begin at 0",
    ),
    (
        r"tensors used as indices must be|Expected dtype int32/int64 for index",
        "An index holds numbers that are no whole ones: make it integers (`.long()`)",
    ),
    (
        r"Index tensor must have the same number of dimensions",
        "`gather` and `scatter` want an index with as many dimensions as the tensor: give it one of size 1",
    ),
    (
        r"backward through the graph a second time",
        "A gradient is computed twice through the same values, which are given up after the first time",
    ),
    (
        r"grad can be implicitly created only for scalar outputs",
        "A gradient is taken of several numbers: `backward` wants one, such as a mean or a sum",
    ),
    (r"input matrix is singular", "A linear system has no single solution: its matrix is singular"),
    (
        r"cannot reshape tensor of 0 elements",
        "A tensor without any number is to get a shape with a −1, which could be anything there: write the size out",
    ),
    (
        r"must have a last dimension with stride 1",
        "`view_as_complex` wants pairs that lie side by side in memory: call `contiguous()` first",
    ),
    (r"must have a last dimension of size 2", "`view_as_complex` wants a last dimension of size 2"),
    (r"only one dimension can be inferred", "Two sizes of a shape are −1: only one can be worked out"),
    (
        r"Given normalized_shape=\[([\d, ]*)\].*but got input of size ?\[([\d, ]*)\]",
        "A norm is made for a last dimension of ({0}) numbers and gets the shape ({1})",
    ),
    (r"inconsistent input_size: got (\d+) expected (\d+)", "A recurrent layer is made for inputs of {1} numbers and gets {0}"),
    (
        r"Input batch size (\d+) doesn't match hidden\d? batch size (\d+)",
        "A recurrent layer gets {0} inputs and {1} states: there must be one state for each input",
    ),
    (r"arguments to matmul need to be at least 1D", "A matrix product gets a single number: multiply by it with `*`"),
    (r"inconsistent tensor size, expected tensor \[(\d+)\] and src \[(\d+)\]", "A dot product gets vectors of {0} and of {1} numbers"),
    (
        r"1D tensors expected, but got (\d)D and (\d)D tensors",
        "`torch.dot` takes two vectors and gets {0} and {1} dimensions: `@` takes any number of them",
    ),
    (r"EOF when reading a line", "It asks for something to be typed (`input`), and where it is graded nobody answers: take that line out"),
    (
        r"not compiled with CUDA enabled|Found no NVIDIA driver",
        "It asks for a GPU, and where it is graded there is none: make new tensors where the inputs are (device=x.device), without `.cuda()`",
    ),
    (r"before Module\.__init__\(\) call", "`super().__init__()` has to come first in `__init__`"),
    (
        r"cannot assign '.*' as parameter '(\w+)'",
        "`{0}` is a parameter: wrap the tensor in nn.Parameter, or copy into it under `torch.no_grad()`",
    ),
    (r"random_ expects 'from' to be less than 'to'", "A whole number is to be drawn from an empty range"),
    (
        r"unsupported format string passed to Tensor",
        "A tensor stands where a number is to be formatted: take the number out with `.item()`",
    ),
    (
        r"cannot be converted to type \w+ without overflow",
        "A number does not fit into the tensor's dtype: −∞ and fractions need a floating point tensor",
    ),
    (r"(\w+): (?:[Ii]nput tensor must have at least|Expected) (\d)(?: dimensions|-D)", "`torch.{0}` wants {1} dimension(s)"),
    (r"(\w+)\(\) missing \d+ required positional arguments?: \"dim\"", "`{0}` has to be told along which dimension (`dim=-1`)"),
    (r"(\w+)\(\) received an invalid combination of arguments - got \((.*?)\), but", "`{0}` does not take arguments of these types: {1}"),
    (
        r"argument '(\w+)' (?:\(position \d+\) )?must be torch\.dtype, not (\w+)",
        "`{0}` is a dtype of PyTorch, such as torch.float32, not a {1}",
    ),
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
