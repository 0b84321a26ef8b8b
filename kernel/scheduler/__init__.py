"""Run queues, policies, placement and wake-ups: what the scheduler actor owns."""
