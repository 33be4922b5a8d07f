"""Ranks several policies with one budget of episodes. Start with run.py; rounds.py decides who gets more episodes."""
