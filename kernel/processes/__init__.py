"""What `processes` owns: pids, the process tree, threads, groups, sessions, credentials, limits and image files.

Read processes.py first (the state as a whole and its invariants), then process.py and thread.py (the records and their states).
"""
