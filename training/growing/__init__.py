"""Who grows boosters: this process, or workers of a Dask cluster where rows are very many."""
