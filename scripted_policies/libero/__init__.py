"""The expert for all LIBERO tasks: it plans motions from the atoms of a task's goal and the geometry of the scene.

In the order in which an episode uses them:

- `expert`: takes the next subgoal, chooses a skill and runs it, until the goal holds.
- `subgoals`: turns goal atoms into subgoals, in an order that works.
- `context`: what all skills share (`SkillContext`), and the base class of skills (`Skill`).
- `skills/`: `Put`, `Insert`, `Shove`, `Slide`, `Drawer`, `Door`, `Knob`; `Put` calls `PushAway` if no grasp fits.
- `planning/`: what a skill asks before it moves. `pick`, `insert` and `drawer` search plans; `grasps` lists how each
  category can be held, `placements` where an object can stand, and `openings` the open sides of covered regions.
- `lookahead/`: what the planners ask: does anything collide (`collision`), does the arm get there (`reach`), where does
  an object come to rest (`resting`), how high are obstacles (`clearance`). It never changes the scene.
- `hand`: the motions of the hand that skills are composed of. `geometry`: small functions that all of the above use.

To add a skill: a kind in `SubgoalKind` and the atoms that lead to it in `subgoals`; a subclass of `Skill` with `motion`
in `skills/`; a line in `choose_skill` in `expert`. To add a grasp for a category: a function and a line in `grasps`.

Searches start strict and are repeated with lower margins until they find a plan (`PlanningMargins`,
`DrawerTolerances`). Margins are passed as arguments and never stored, so that no search affects the next.
"""
