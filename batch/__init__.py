"""The batch door's rooms: many scenarios, many counties, in this process or through Dask. Dask: only in ``cluster``."""
