"""Reading event logs: records, one-line rendering, lanes, and why a thread waited."""
