"""Whose page is it? Address spaces, page tables, frames, faults, copy-on-write, memory objects, TLB shootdown, futex keys.

Begin with memory.py, which holds it all; then areas.py and address_space.py (what a program was promised), faults.py (how the promise
is kept, one page at a time) and shootdown.py (how it is taken back).
"""
