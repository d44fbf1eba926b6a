"""A stand-in for NVIDIA's Isaac Gym Preview 4, for tests: its published calls, strictly kept.

``gymapi.Gym`` has the signatures of the manual's reference for the calls that PPP makes, and no
others; arguments that the manual calls arg0, arg1, … are positional only here. Calls in the wrong
order raise ``Misuse`` where Isaac Gym would crash or go on with wrong numbers. MuJoCo does the
physics, so that what comes back is plausible; it says nothing about PhysX.
"""
