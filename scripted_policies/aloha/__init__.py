"""Experts of ALOHA's tasks, one file each."""
