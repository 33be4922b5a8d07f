"""RoboVLMs: vision-language models as policies."""
