"""Dispositions, masks, pending sets and delivery: what the signals actor owns.

Read signals.py first (the state as a whole), then generation.py (a signal is sent) and delivery.py (a thread takes it).
"""
