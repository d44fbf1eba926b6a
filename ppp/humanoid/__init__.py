"""The body: skeleton tables, MJCF, kinematics and observation functions."""
