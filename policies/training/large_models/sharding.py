"""A policy in shards: each process holds a part of every parameter, its gradient and its optimiser moments (FSDP2).

Source: Zhao et al., "PyTorch FSDP: experiences on scaling fully sharded data parallel", 2023.
"""

import sys
from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor

from ambidex.policies.policy import Policy
from ambidex.policies.training.large_models.layers import transformer_layers

FORWARD_METHODS = ("losses", "predict", "validation_metrics", "cacheable_features")
"""The methods of a policy that use its weights. All processes have to call them together."""


def shard(policy: Policy, device: torch.device, precision: str) -> None:
    """Divide the parameters of a policy over the processes, in place, and gather each layer's only while it is used.

    Weights, gradients and the optimiser stay float32. With precision "bf16" the methods of the policy run under
    autocast, and layers get their weights and inputs as bf16: autocast alone would keep a bf16 copy of all weights.

    Raises:
        UsageError: The policy has no transformer layers.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method

    for parameter in policy.parameters():  # FSDP takes no others
        parameter.data = parameter.data.contiguous()
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    half = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    for layer in transformer_layers(policy, "--sharding fsdp"):
        fully_shard(layer, mesh=mesh, mp_policy=half if precision == "bf16" else MixedPrecisionPolicy())
    fully_shard(policy, mesh=mesh)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    for name in FORWARD_METHODS:
        setattr(policy, name, autocast(getattr(policy, name)))
        register_fsdp_forward_method(policy, name)


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process holds only a part of a tensor. Does not import DTensor, which takes a second."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def free_gathered(policy: Policy) -> None:
    """Free weights that were gathered for a forward pass without a backward pass, which would hide later changes."""
    if any(map(is_sharded, policy.parameters())):
        policy.reshard()  # type: ignore[operator]


def whole_tensors(tensors: Mapping[str, Tensor], *, keep: bool) -> dict[str, Tensor]:
    """Tensors without shards: gathered to the CPU of the processes that keep them. Others get nothing.

    All processes have to call it together if there are shards.
    """
    found = {}
    for name, tensor in tensors.items():
        whole = whole_tensor(tensor)
        if keep:
            found[name] = whole if whole is tensor else whole.cpu()
    return found


def whole_tensor(tensor: Tensor) -> Tensor:
    """A tensor without shards, see `whole_tensors`."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def copy_into(tensor: Tensor, whole: Tensor) -> None:
    """Copy a whole tensor into another of its shape, of which this process may hold a shard only."""
    if is_sharded(tensor):
        from torch.distributed.tensor import DTensor, distribute_tensor

        assert isinstance(tensor, DTensor)
        whole = distribute_tensor(whole.to(tensor.device), tensor.device_mesh, tensor.placements)
    tensor.copy_(whole)
