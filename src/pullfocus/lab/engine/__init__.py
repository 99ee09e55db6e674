"""The training engine: a recipe goes in; checkpoints, a log, pictures and scores come out.

    Recipe ──build──> System (nn.Module: predict, losses, scores, pictures)
       └─────sources──> Source (draw(index, rng)) ──Order──> batches ──loop──> OUT/

It stands on Hugging Face's accelerate (Apache-2.0): process groups from torchrun's variables, DDP,
mixed precision with its gradient scaler, clipping and means over processes, in one small package
that brings nothing but psutil beside what the lab has already and leaves torch alone. Lightning
does the same and also owns the loop; ours must be its own, because a batch here is a pure function
of (seed, step, process): that is what makes a killed run go on with the very same loss curve.
"""
