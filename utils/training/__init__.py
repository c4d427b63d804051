"""Train a language model with pieces that a student wrote: one loop for a laptop, a GPU, and several GPUs or machines.

The loop knows how to run a training, not how to learn: batches, optimizer groups, schedule and training step come in as functions.
Nothing here has to be changed for another model: `model(ids, targets) -> (logits, loss)` is all it asks for.

| file | one idea |
| --- | --- |
| `loop.py` | the loop itself: read it first |
| `plan.py` | the numbers of a run, the student's functions, and what happened |
| `run.py` | what changes while training, and one step |
| `validation.py` | the validation loss, and the best weights |
| `batches.py` | batches ahead of time, and each process's share of them |
| `compiling.py` | `torch.compile` where it works |
| `scaling.py` | float16 without losing small gradients |
| `processes.py` | several processes as one |
| `checkpoints.py` | everything on disk, all or nothing |
| `meter.py` | tokens per second, and how much of the device that is |
| `curve.py` | the progress bar and the loss curve |
| `sizes.py` | which plan fits a device's memory and an evening |
| `files.py` | the trained model, and texts larger than memory |
| `../device.py` | which device, in which precision; the only file that names CUDA |
"""

from utils.device import Precision, autocast_dtype, pick_device, precision
from utils.training.curve import draw_history
from utils.training.files import memory_mapped, save_model, write_tokens
from utils.training.loop import train
from utils.training.plan import History, Pieces, Plan
from utils.training.processes import process_group
from utils.training.sizes import Size, choose_size

__all__ = [
    "History",
    "Pieces",
    "Plan",
    "Precision",
    "Size",
    "autocast_dtype",
    "choose_size",
    "draw_history",
    "memory_mapped",
    "pick_device",
    "precision",
    "process_group",
    "save_model",
    "train",
    "write_tokens",
]
