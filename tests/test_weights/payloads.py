"""Files that no door may open: foreign code in them, or damage."""
import builtins
import os
import struct
import subprocess
import zipfile

import torch


class Call:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def foreign_code(marker) -> dict:
    """Objects which make the file ``marker`` when they are unpickled."""
    command = f'touch {marker}'
    return {
        'subprocess.call': Call(subprocess.call, command.split()),
        'os.system': Call(os.system, command),
        'eval': Call(builtins.eval, f'open({str(marker)!r}, "w")'),
        'exec': Call(builtins.exec, f'open({str(marker)!r}, "w")'),
    }


FOREIGN = tuple(foreign_code(''))
FORMATS = dict(
    zip=dict(),
    legacy=dict(_use_new_zipfile_serialization=False),
    protocol_4=dict(pickle_protocol=4))
DAMAGES = ('cut', 'flipped bit', 'zeroed', 'empty', 'text', 'web page',
           'other zip', 'not finite')


def training_checkpoint(state_dict: dict, **meta) -> dict:
    """The entries of a state of training, as small as they come."""
    return dict(
        meta=dict(epoch=1, iter=5, seed=3) | meta,
        message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}),
        optimizer=dict(state={}, param_groups=[]),
        param_schedulers=[],
        state_dict=state_dict)


def damage(path, kind: str) -> None:
    """Replace a good file by a damaged one."""
    if kind == 'not finite':
        checkpoint = torch.load(path, weights_only=True)
        weights = checkpoint['state_dict']
        name = next(k for k, v in weights.items() if v.is_floating_point())
        weights[name] = torch.full_like(weights[name], torch.nan)
        torch.save(checkpoint, path)
        return
    content = path.read_bytes()
    start, stop = largest_record(path)
    flipped, zeroed = bytearray(content), bytearray(content)
    flipped[(start + stop) // 2] ^= 1
    zeroed[start:stop] = bytes(stop - start)
    path.write_bytes({
        'cut': content[:len(content) // 2],
        'flipped bit': bytes(flipped),
        'zeroed': bytes(zeroed),
        'empty': b'',
        'text': b'version https://git-lfs.github.com/spec/v1\n',
        'web page': b'<html>404</html>',
        'other zip': b'PK\x03\x04' + bytes(100)
    }[kind])


def largest_record(path) -> tuple:
    """Where the bytes of the largest tensor lie, 64 KiB at most."""
    with zipfile.ZipFile(path) as archive:
        record = max(archive.infolist(), key=lambda info: info.file_size)
    with open(path, 'rb') as file:
        file.seek(record.header_offset + 26)
        name, extra = struct.unpack('<HH', file.read(4))
    start = record.header_offset + 30 + name + extra
    return start, start + min(record.file_size, 1 << 16)
