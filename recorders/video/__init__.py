"""Videos of rollouts: cameras tiled, caption burned in, H.264 in MP4."""
