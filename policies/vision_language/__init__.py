"""Vision-language models: what policies that are built on them share."""
