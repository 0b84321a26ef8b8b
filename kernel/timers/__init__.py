"""Time: what the actor `timers` owns. Sleeps, timeouts of waits, alarms; and the clocks that programs read (time(7))."""
