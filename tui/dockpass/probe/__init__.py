"""Asking a registry what a login may do there, and what that means for each command."""
