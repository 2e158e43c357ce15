"""Deciding in the browser: a small server on this machine for the report page of a build and what is decided in it."""
