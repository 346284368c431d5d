"""Search for persons by text: IRRA over the backbones here."""
from .byte_pairs import BytePairs
from .caption_check import CaptionCheckHook
from .caption_encoder import CaptionEncoder, sentence_vectors
from .caption_file import CaptionRecord, read_captions
from .dataset import (CaptionedPersons, CUHKPEDESDataset, ICFGPEDESDataset,
                      RSTPReidDataset)
from .heads import HiddenWordHead, PairMatchingHead, PersonClassHead
from .irra import IRRA
from .joint_projection import JointProjection
from .losses import contrastive_loss, distribution_loss, projection_loss
from .masking import mask_words
from .metric import CaptionRetrievalMetric, search_scores
from .ordered_rules import OrderedRulesConstructor
from .pack import PackCaptions
from .preprocessor import CaptionedPersonPreprocessor
from .tokenizer import CaptionTokenizer, clean_caption

__all__ = [
    'BytePairs', 'CUHKPEDESDataset', 'CaptionCheckHook', 'CaptionEncoder',
    'CaptionRecord', 'CaptionRetrievalMetric', 'CaptionTokenizer',
    'CaptionedPersonPreprocessor', 'CaptionedPersons', 'HiddenWordHead',
    'ICFGPEDESDataset', 'IRRA', 'JointProjection', 'OrderedRulesConstructor',
    'PackCaptions', 'PairMatchingHead', 'PersonClassHead', 'RSTPReidDataset',
    'clean_caption', 'contrastive_loss', 'distribution_loss', 'mask_words',
    'projection_loss', 'read_captions', 'search_scores', 'sentence_vectors'
]
