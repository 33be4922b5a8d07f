"""ACT: Action Chunking with Transformers (Zhao et al., "Learning Fine-Grained Bimanual Manipulation", 2023)."""
