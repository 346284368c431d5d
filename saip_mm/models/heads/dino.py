from mmpretrain.registry import MODELS
from .cross_scale_matching import CrossScaleMatchingHead


@MODELS.register_module()
class DINOHead(CrossScaleMatchingHead):
    """Self-distillation without labels (DINO).

    What ``CrossScaleMatchingHead`` computes, of views that differ in place
    and colour and not in scale: anchor and one ``scale`` view of the same
    size are the two global crops, ``local`` views the others. Every student
    view is compared with the global ones other than itself: 18 pairs of two
    global and eight local crops.

    Arguments and errors are the parent's.

    Source:
        Caron et al., Emerging Properties in Self-Supervised Vision
        Transformers, ICCV 2021.
    """

    objective = 'dino'
