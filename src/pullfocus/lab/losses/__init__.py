"""What the lab's networks are taught by; one file per kind of evidence.

Where a loss has several terms, its function returns them weighted and by name, so that a training
log can show them; their sum is the loss.
"""

from pullfocus.lab.losses.relative import (
    HintScale,
    gradient_matching,
    scale_shift_invariant,
    standardise,
)

__all__ = ["HintScale", "gradient_matching", "scale_shift_invariant", "standardise"]
