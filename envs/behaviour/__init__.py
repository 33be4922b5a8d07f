"""What an agent does in an episode, beside succeeding or not."""
