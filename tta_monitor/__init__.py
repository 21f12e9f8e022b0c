"""The front door: the command line, process supervision, replay and the simulator."""
