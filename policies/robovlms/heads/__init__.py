"""Heads: what follows the vision-language model, from hidden states of learned tokens to actions."""
