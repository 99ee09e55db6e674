"""Middleware of the web app: who may ask, and how much may be sent."""
