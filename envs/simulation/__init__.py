"""The MuJoCo simulation: scene, contacts, kinematics, joint vector, poses and rendering."""
