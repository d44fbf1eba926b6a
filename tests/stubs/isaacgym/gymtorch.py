"""Between the descriptors of gymapi and torch tensors, without copies."""
import weakref

import torch

from . import gymapi

_DTYPES = {torch.float32: gymapi.DTYPE_FLOAT32, torch.int32: gymapi.DTYPE_UINT32,
           torch.int64: gymapi.DTYPE_UINT64}


def wrap_tensor(gym_tensor, offsets=None, counts=None):
    """The torch tensor of a buffer that Isaac Gym owns."""
    if offsets is not None or counts is not None:
        raise gymapi.Misuse("the stub wraps whole buffers only")
    return torch.from_numpy(gym_tensor.owned)


def unwrap_tensor(torch_tensor):
    """The descriptor of a torch tensor: its address, which it does not keep alive."""
    if not torch_tensor.is_contiguous():
        raise Exception("Input tensor must be contiguous")
    if torch_tensor.dtype not in _DTYPES:
        raise Exception("Unsupported Gym tensor dtype")
    tensor = gymapi.Tensor()
    tensor.device = -1
    tensor.dtype = _DTYPES[torch_tensor.dtype]
    tensor.shape = list(torch_tensor.shape)
    tensor.data_address = torch_tensor.data_ptr()
    tensor.own_data = False
    tensor.alive = weakref.ref(torch_tensor)
    return tensor
