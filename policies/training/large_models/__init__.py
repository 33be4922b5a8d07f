"""Training of large models: which weights of a vision-language model are trained, LoRA, and shards over processes."""
