"""replikk builds the spoken audio of a game from its dialogue sheets.

The rooms: ``dialogue`` (what people write), ``engines`` (who speaks), ``judges`` (who listens), ``audio``
(what is delivered), ``report`` (what a person reads), ``stages`` (one function per rule of the build) and
``store`` (finished work). Nothing here imports snakemake; the scripts of the workflow call the stages.
"""

__version__ = "0.1.0"
