"""UniAct: universal actions, a codebook shared by robots and an interpreter for each."""
