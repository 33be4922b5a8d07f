"""ACT: Action Chunking with Transformers (Zhao et al., 2023). Start with `model`; `policy` has losses and inputs."""
