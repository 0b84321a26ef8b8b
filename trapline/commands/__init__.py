"""The subcommands of `trapline`: one module each; what they return is the process's exit status."""
