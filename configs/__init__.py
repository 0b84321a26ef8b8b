"""The machines that ship with Trapline, as TOML; trapline/config.py finds them by importlib.resources."""
