import os

import torch


def save_state(path, step: int = 0) -> str:
    torch.save(
        dict(
            meta=dict(epoch=0, iter=step),
            state_dict=dict(weight=torch.randn(64, 64)),
            optimizer=dict(),
            message_hub=dict()), path)
    os.utime(path, (step, step))
    return str(path)
