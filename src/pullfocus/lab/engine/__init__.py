"""The training engine: a recipe goes in; checkpoints, a log, pictures and scores come out.

    Recipe ──build───> System (nn.Module: predict, losses, scores, pictures)
       └─────sources──> SampleSource or Mixture ──Order──> batches ──loop──> OUT/

It stands on Hugging Face's accelerate (Apache-2.0): process groups from torchrun's variables, DDP,
mixed precision with its gradient scaler, clipping and means over processes, in one small package
that adds nothing but psutil to what the lab has already. Lightning does the same and also owns the
loop; this loop is our own because a batch here is a function of (seed, step, process) alone, which
is why a killed run continues with exactly the same loss curve.
"""
