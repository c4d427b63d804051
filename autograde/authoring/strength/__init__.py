"""How strong the checks of a lesson are: known wrong answers, idle ones, kinds of mistake and changed nodes must lose points, unusual right ones must keep them."""
