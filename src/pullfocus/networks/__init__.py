"""Networks of pullfocus: pure ``nn.Module`` classes, no file access; used by the lab only."""
