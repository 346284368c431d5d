# ViT-Tiny for short trainings from random weights; the leaf adds img_size,
# that of its pictures
_base_ = '../backbones/vit_tiny.py'

backbone = dict(
    init='mmpretrain',
    positions='sincos',  # tell places apart from the start
    drop_path_rate=0.)
