"""The ACT episode format: one HDF5 file per episode that the original ACT loader reads.

| path | shape | dtype |
|---|---|---|
| /observations/images/<camera> | (T, H, W, 3) RGB, one frame a chunk | uint8 |
| /observations/qpos, /observations/qvel, /action | (T, J) | float32 |
| /observations/objects | (T, 7 * objects) | float32 |
| /action_ee | (T, E) | float32 |
| /states | (T+1, S) | float64 |
| /stages | (T+1,) | int8 |

Attributes: what the original has (`sim`, `compress`) and `task seed success outcome stage instruction env_spec
model_sha256 versions format_version`, and `sha256` of the fields. `raw` and `jpeg` also have /image_crc32 (cameras, T)
and `jpeg` /compress_len (cameras, T).
"""
