"""Pictures of persons on the device: normalised, a piece of them erased."""
from typing import Optional, Sequence

import torch
from torchvision.transforms import RandomErasing

from mmpretrain.models.utils import MultiModalDataPreprocessor
from mmpretrain.registry import MODELS


@MODELS.register_module()
class CaptionedPersonPreprocessor(MultiModalDataPreprocessor):
    """Normalise, and in training erase a rectangle of some pictures.

    Args:
        mean (Sequence[float]): Of red, green and blue, in [0, 255].
        std (Sequence[float]): The same.
        erasing (dict, optional): Arguments of torchvision's ``RandomErasing``
            (``p``, ``scale``, ``ratio``). ``value`` is put into the
            normalised picture, and is by default ``mean / 255``: IRRA's
            intention was the mean colour, which there would be 0. Defaults to
            None: nothing is erased.
        **kwargs: Of ``MultiModalDataPreprocessor``.
    """

    def __init__(self,
                 mean: Sequence[float],
                 std: Sequence[float],
                 erasing: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(mean=mean, std=std, **kwargs)
        self.erase = None
        if erasing:
            value = [channel / 255 for channel in mean]
            self.erase = RandomErasing(**{'value': value, **erasing})

    def forward(self, data: dict, training: bool = False) -> dict:
        """Stack, normalise, erase.

        Args:
            data (dict): ``inputs``, list of uint8 tensors ``(3, h, w)`` RGB
                of one size, and ``data_samples``.
            training (bool): Whether to erase.

        Returns:
            dict: ``images`` ``(B, 3, h, w)`` float, and ``data_samples``.
        """
        data = self.cast_data(data)
        images = data['inputs']
        if not isinstance(images, torch.Tensor):
            images = torch.stack(list(images))
        out = super().forward(dict(data, inputs=images), training)
        if training and self.erase is not None:
            out['images'] = torch.stack(
                [self.erase(image) for image in out['images']])
        return out
