"""What happens by itself: schedules that ask for runs, a worker that takes them, and the clock pass."""
