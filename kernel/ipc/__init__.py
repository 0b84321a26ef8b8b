"""Interprocess communication: what the actor `ipc` owns. Pipes and FIFOs (pipe(7), fifo(7)), futex queues (futex(2))."""
