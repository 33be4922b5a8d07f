"""The expert of all LIBERO tasks: a planner that reads goal atoms and composes motions by geometry.

Where to find what:

- `libero_expert` does one job after the other; `jobs` makes them from the goal's atoms, in an order that works.
- Skills, one class each, are what `skill` describes: `put`, `insert`, `shove`, `slide` (which of them, `putting` says),
  `drawer`, `door`, `knob`; `nudge` is one that `put` calls in. They share a `workplace` and move a `hand`.
- What a skill asks before it moves: `pick_plan`, `insert_plan`, `drawer_plan` (which grasp, which place), with `grasps`
  and `side_grasps` (how a category is held), `places` and `ways_in` (where a thing goes), `reach` (does the arm get
  there), `probe`, `lowering` and `fall` (would something touch, where would it stand, would it fall well: tried in
  copies of the world), `passage` (how high to travel). How much room they ask for is a value that is handed to them,
  never a setting: `strictness`, and for drawers `leeway`.

A new skill: a kind of work in `job`, made from an atom in `jobs`; a class with `motion`; a line in
`LiberoExpert._skill`, or in `putting` if it is another way to put things. A category that is held in a way of its own
is a function and a line in `grasps`.
"""
