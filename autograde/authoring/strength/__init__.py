"""How strong the checks of a lesson are: wrong answers, idle ones and changed nodes must lose points, and unusual right answers keep them."""
