"""What the command ``replikk`` does beside Snakemake, one module per sub-command. None of them builds anything."""
