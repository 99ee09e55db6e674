"""Decoders and encoders, one module for each family of formats."""
