"""The trainer: `train` starts or resumes a run, `trainer` has the loop, `learner` one step, `config` the flags."""
