"""Vision-language models behind one interface: images and text to tokens, tokens to states."""
