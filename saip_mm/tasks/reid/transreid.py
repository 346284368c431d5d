"""Search for persons by picture: a backbone, its image token, a head."""
from typing import List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from saip_mm.models.backbones import GridVisionTransformer
from saip_mm.models.encoders import probe_side
from saip_mm.models.finite import check_finite_losses
from .jigsaw import CameraEmbedding, JigsawBranches

POOLING = dict(type='GlobalAveragePooling')


@MODELS.register_module()
class TransReID(ImageClassifier):
    """A backbone's image token, trained to tell persons apart.

    The token is the class token after the final norm of a
    ``GridVisionTransformer``, or the average of the last map of any other
    backbone. All that TransReID adds to its strong baseline is off by
    default: without it backbones can be compared.

    Args:
        backbone (dict): Config of a backbone in mmpretrain's registry.
        neck (dict, optional): From the backbone's outputs to vectors; the
            last counts. Defaults to None: as said above.
        head (dict, optional): A :class:`BNNeckHead`; ``in_channels`` and
            ``branches`` are found out where it does not say them.
        jpm (dict, optional): Jigsaw patch module, ``shift`` and ``divide`` of
            :class:`JigsawBranches`; ``dict()`` for its defaults. Defaults to
            None, none.
        sie (dict, optional): Side information embedding, ``num_cams`` and
            ``weight`` of :class:`CameraEmbedding`. Defaults to None, none.
        **kwargs: Of mmpretrain's ``ImageClassifier``.

    Raises:
        ValueError: If ``jpm`` or ``sie`` is set and there is no class token;
            in use, if a sample does not say its camera, or it is unknown.

    Source:
        He et al., TransReID: Transformer-based Object Re-Identification,
        ICCV 2021.
    """

    training_only = ('head.classifiers.', )  # which a test does without

    def __init__(self,
                 backbone: dict,
                 neck: Optional[dict] = None,
                 head: Optional[dict] = None,
                 jpm: Optional[dict] = None,
                 sie: Optional[dict] = None,
                 **kwargs) -> None:
        body = MODELS.build(backbone)
        by_token = (
            neck is None and isinstance(body, GridVisionTransformer)
            and body.cls_token is not None)
        for name, asked in (('jpm', jpm), ('sie', sie)):
            if asked is not None and not by_token:
                raise ValueError(
                    f'{name} needs a ViT encoder with a class token, and no '
                    f'neck, got {_name_of(body)}: leave model.{name} out')
        pool = None if by_token else MODELS.build(neck or POOLING)
        if head is not None:
            head = dict(head)
            if 'in_channels' not in head:
                head['in_channels'] = _width(body, pool)
            if jpm is not None:
                head['branches'] = 1 + jpm.get('divide', 4)
        super().__init__(body, pool, head, **kwargs)
        self.by_token = by_token
        self.jigsaw = self.camera = None
        if jpm is not None:
            self.jigsaw = JigsawBranches(body.layers[-1], body.ln1, **jpm)
        if sie is not None:
            self.camera = CameraEmbedding(width=body.embed_dims, **sie)

    def init_weights(self) -> None:
        """Start; the parts' block from what the backbone starts from."""
        super().init_weights()
        if self.jigsaw is not None:
            self.jigsaw.copy_start(self.backbone.layers[-1], self.backbone.ln1)

    def extract_feat(
            self,
            inputs: Tensor,
            stage: str = 'neck',
            cams: Optional[Sequence[int]] = None) -> Tuple[Tensor, ...]:
        """Features of a batch.

        Args:
            inputs (Tensor): ``(B, 3, H, W)`` normalised pictures.
            stage (str): 'neck', or 'backbone' for the backbone's outputs.
                Defaults to 'neck'.
            cams (Sequence[int], optional): Camera of each, from 0, for
                ``sie``. Defaults to None.

        Returns:
            tuple[Tensor]: ``(B, D)`` of the whole picture and, with ``jpm``,
            of each part.
        """
        if stage == 'backbone' or not self.by_token:
            feats = super().extract_feat(inputs, stage)
            return feats if stage == 'backbone' else feats[-1:]
        if self.jigsaw is None and self.camera is None:
            return (self.backbone.forward_tokens(inputs).image, )
        return self._features(inputs, cams)

    def _features(self, inputs: Tensor,
                  cams: Optional[Sequence[int]]) -> Tuple[Tensor, ...]:
        x, _ = self.backbone.embed(inputs)
        if self.camera is not None:
            if cams is None:
                raise ValueError('SIE needs the camera of each picture: give '
                                 'data_samples with camid, as PackPerson '
                                 'makes them')
            x = x + self.camera(cams)
        *most, last = self.backbone.layers
        for layer in most:
            x = layer(x)
        whole = self.backbone.ln1(last(x)[:, 0])
        return (whole, *(self.jigsaw(x) if self.jigsaw is not None else ()))

    def loss(self, inputs: Tensor, data_samples: List[DataSample]) -> dict:
        """Losses of a batch, see :meth:`BNNeckHead.loss`."""
        feats = self.extract_feat(inputs, cams=self._cams(data_samples))
        return self.head.loss(feats, data_samples)

    def predict(self,
                inputs: Tensor,
                data_samples: Optional[List[DataSample]] = None,
                **kwargs) -> List[DataSample]:
        """Samples with their ``feature``, see :meth:`BNNeckHead.predict`."""
        feats = self.extract_feat(inputs, cams=self._cams(data_samples))
        return self.head.predict(feats, data_samples, **kwargs)

    def parse_losses(self, losses: dict) -> Tuple[Tensor, dict]:
        """Stop at a loss that is not finite; else mmengine's."""
        check_finite_losses(losses)
        return super().parse_losses(losses)

    def _cams(self, data_samples: Optional[List[DataSample]]):
        if self.camera is None or data_samples is None:
            return None
        missing = [s for s in data_samples if 'camid' not in s]
        if missing:
            raise ValueError(
                f"'{missing[0].get('img_path', 'a picture')}' has no camid, "
                'which model.sie needs: end the pipeline in PackPerson')
        return [int(sample.camid) for sample in data_samples]


def _name_of(backbone: nn.Module) -> str:
    options = getattr(backbone, 'options', {})
    return options.get('model_name', type(backbone).__name__)


@torch.no_grad()
def _width(backbone: nn.Module, pool: Optional[nn.Module]) -> int:
    """Width of the image token, by one blank image."""
    if pool is None:
        return backbone.embed_dims
    training = backbone.training
    backbone.train(False)  # BatchNorm must not count the blank image
    side = probe_side(16)
    width = pool(backbone(torch.zeros(1, 3, side, side)))[-1].shape[1]
    backbone.train(training)
    return width
