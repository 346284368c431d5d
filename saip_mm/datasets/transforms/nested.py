from typing import Iterator, Sequence


def flatten(transforms: Sequence) -> Iterator:
    """All transforms of a pipeline, also those inside of others."""
    for transform in transforms:
        yield transform
        inner = getattr(transform, 'transforms', ())
        yield from flatten(getattr(inner, 'transforms', inner))
