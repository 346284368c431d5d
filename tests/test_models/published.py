"""What others make of a published transformer."""
import torch

from mmpretrain.models.backbones import VisionTransformer
from saip_mm.weights import publish_backbone
from .tiny_saip import ARCH


def assert_mmpretrain_agrees(model, folder):
    """mmpretrain's own class gives the encoder's tokens from the file."""
    file = folder / 'e.pth'
    torch.save(
        dict(
            state_dict=model.state_dict(),
            meta=dict(backbone=model.encoder.backbone.options)), file)
    path = publish_backbone(str(file), str(folder)).path
    theirs = VisionTransformer(ARCH, img_size=(64, 32), patch_size=16)
    theirs.load_state_dict(torch.load(path, weights_only=True)['state_dict'])
    theirs.train(False)
    model.train(False)
    image = torch.randn(2, 3, 64, 32)
    torch.testing.assert_close(theirs(image)[-1], model.encoder.extract(image))
