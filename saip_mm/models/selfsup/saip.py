from mmpretrain.registry import MODELS
from .routing import ViewPretraining


@MODELS.register_module()
class SAIP(ViewPretraining):
    """Scale-Aware Image Pretraining: matching, reconstruction and search.

    Its heads are 'csm' (``CrossScaleMatchingHead``, ``InstanceMatchingHead``),
    'csr' (``CrossScaleReconstructionHead``) and 'css'
    (``CrossScaleSearchHead``); an objective is switched off by leaving its
    head out (or setting it to None). The expert is ``EmaExpert`` (SAIP) or
    ``FrozenExpert`` (SAIP*).

    Source:
        Paper 3.1 and 3.2, Eq. 4: the losses are summed.
    """
