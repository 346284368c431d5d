"""IRRA: pictures and sentences of persons in one space."""
from typing import Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmpretrain.registry import MODELS, TOKENIZER
from mmpretrain.structures import DataSample
from saip_mm.models.finite import check_finite_losses
from .caption_encoder import sentence_vectors
from .masking import mask_words
from .pairs import Pairs

MASKING = dict(prob=0.15, shared=True)


@MODELS.register_module()
class IRRA(BaseModel):
    """Search for persons by what is said of them.

    A backbone and a text tower, each with a projection to one space, where
    cosine similarity ranks. Heads are for training alone, and one that is
    None is left out; without one that tells hidden words nothing is hidden.

    Args:
        backbone (dict): Any that gives tokens (``out_type='raw'``) or maps.
        neck (dict): :class:`JointProjection`.
        text (dict): :class:`CaptionEncoder`.
        tokenizer (dict): :class:`CaptionTokenizer`.
        heads (dict): Configs by name: 'match', 'person', 'word' and others;
            see :class:`PairMatchingHead`, :class:`PersonClassHead`,
            :class:`HiddenWordHead`.
        masking (dict): ``prob`` of a word to be hidden. ``shared``: whether
            the other heads get the sentences with hidden words too, so that
            the tower runs once; as IRRA was published they do, by a slip that
            its author kept as it is better; False is as its paper says.
            Defaults to 0.15 and True.
        data_preprocessor (dict, optional): Config.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If tokenizer and tower, or tower and projection, disagree.

    Source:
        Jiang and Ye, Cross-Modal Implicit Relation Reasoning and Aligning for
        Text-to-Image Person Retrieval, CVPR 2023.
    """

    training_only = ('heads.', )  # which a test does without

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 text: dict,
                 tokenizer: dict,
                 heads: dict,
                 masking: dict = MASKING,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        if data_preprocessor is not None:
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.text = MODELS.build(text)
        self.tokenizer = TOKENIZER.build(tokenizer)
        self.heads = nn.ModuleDict({
            name: MODELS.build(head)
            for name, head in heads.items() if head is not None
        })
        self.masking = {**MASKING, **masking}
        self.hides_words = any(
            hasattr(head, 'mlm_head') for head in self.heads.values())
        self._check()

    def _check(self) -> None:
        tower, tokenizer = self.text, self.tokenizer
        rows = tower.token_embedding.num_embeddings
        positions = len(tower.positional_embedding)
        pairs = [('text.vocab_size', rows, 'tokenizer.vocab_size',
                  tokenizer.vocab_size),
                 ('text.context_length', positions, 'tokenizer.context_length',
                  tokenizer.context_length),
                 ('text.out_channels', tower.out_channels, 'neck.out_channels',
                  self.neck.out_channels)]
        pairs += [(f'heads.{name}.vocab_size', head.mlm_head[-1].out_features,
                   'tokenizer.vocab_size', tokenizer.vocab_size)
                  for name, head in self.heads.items()
                  if hasattr(head, 'mlm_head')]
        for name, value, other, wanted in pairs:
            if value != wanted:
                raise ValueError(f'model.{name} is {value}, but model.{other} '
                                 f'is {wanted}: set both to one number')

    def encode_images(self, images: Tensor) -> Tensor:
        """Tokens ``(B, 1 + L, D)`` of normalised pictures ``(B, 3, H, W)``,
        the vector of each picture first."""
        return self.neck(self.backbone(images))

    def encode_captions(self, captions: Sequence[str]) -> Tensor:
        """Vectors ``(N, D)`` of sentences."""
        return self.encode_ids(self._ids(captions))

    def encode_ids(self, ids: Tensor) -> Tensor:
        """Vectors ``(N, D)`` of sentences as the tokenizer has them, ``(N,
        L)`` int64."""
        return sentence_vectors(self.text(ids), ids)

    def forward(
        self,
        images: Tensor,
        data_samples: Optional[List[DataSample]] = None,
        mode: str = 'tensor'
    ) -> Union[Tensor, Dict[str, Tensor], List[DataSample]]:
        """See the three modes.

        Args:
            images (Tensor): ``(B, 3, H, W)``, normalised.
            data_samples (list[DataSample], optional): With ``captions``, in
                training one each, and ``gt_label``.
            mode (str): 'tensor' for :meth:`encode_images`, 'loss',
                'predict'.
        """
        if mode == 'tensor':
            return self.encode_images(images)
        if mode == 'loss':
            return self.loss(images, data_samples)
        if mode == 'predict':
            return self.predict(images, data_samples)
        raise RuntimeError(f"mode '{mode}' is none of tensor, loss, predict")

    def loss(self, images: Tensor,
             data_samples: List[DataSample]) -> Dict[str, Tensor]:
        """Losses and shares told right of all heads.

        Returns:
            dict[str, Tensor]: ``loss_sdm``, ``loss_id``, ``loss_irr``,
            ``acc_image``, ``acc_text``, ``acc_word``, of the heads there are.
        """
        ids = self._ids([sample.captions[0] for sample in data_samples])
        persons = torch.cat([sample.gt_label for sample in data_samples])
        masked, words = ids, torch.zeros_like(ids)
        if self.hides_words:
            masked, words = mask_words(ids, self.tokenizer.mask,
                                       self.masking['prob'])
        tokens = self.text(masked)
        # the end's place does not change with the words before it
        read = tokens
        if self.hides_words and not self.masking['shared']:
            read = self.text(ids)
        pairs = Pairs(
            self.encode_images(images), sentence_vectors(read, ids), tokens,
            words, persons.to(ids.device))
        terms = {}
        for head in self.heads.values():
            terms.update(head.loss(pairs))
        return terms

    def predict(self, images: Tensor,
                data_samples: List[DataSample]) -> List[DataSample]:
        """Give pictures and their sentences vectors.

        Returns:
            list[DataSample]: With ``feature`` ``(D, )`` and
            ``caption_features`` ``(k, D)`` of its k sentences.
        """
        features = self.encode_images(images)[:, 0]
        captions = [sample.captions for sample in data_samples]
        flat = [text for texts in captions for text in texts]
        vectors = features.new_zeros(0, features.shape[1])
        if flat:
            vectors = self.encode_captions(flat)
        parts = vectors.split([len(texts) for texts in captions])
        for sample, feature, part in zip(data_samples, features, parts):
            sample.set_field(feature, 'feature')
            sample.set_field(part, 'caption_features')
        return data_samples

    def parse_losses(self, losses: Dict[str, Tensor]) -> Tuple[Tensor, dict]:
        """Stop at a loss that is not finite; else mmengine's."""
        check_finite_losses(losses)
        return super().parse_losses(losses)

    def _ids(self, captions: Sequence[str]) -> Tensor:
        return self.tokenizer(captions).to(self.text.text_projection.device)
