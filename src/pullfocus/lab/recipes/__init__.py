"""Runnable training recipes by kind, their catalogue, and what they reached (RESULTS.md)."""
