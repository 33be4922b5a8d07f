"""What the trainer is made of; `ambidex.policies.train` puts it together."""
