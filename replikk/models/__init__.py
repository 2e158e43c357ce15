"""The published models that an engine speaks with: which there are, whether they are here, and fetching them.

``catalogue`` says what can be fetched, ``settings`` what a build wants, ``present`` whether it is here, ``licences``
under which terms. A build touches only these four, and they touch no network. ``fetch`` with ``hub`` downloads, for
``snakemake models`` alone; ``lock`` remembers what was downloaded.
"""
