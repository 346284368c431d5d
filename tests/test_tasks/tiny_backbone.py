"""The backbones of the configs at a tenth of their width."""
from ..test_models.tiny_saip import ARCH, STARNET, TINYVIT

SIZES = ('base_dim', 'depths', 'embed_dims', 'num_heads')
WIDTHS = dict(starnet_s3=(8, 16, 32, 64), tiny_vit_5m_224=(8, 16, 32, 64))


def shrink_backbone(cfg):
    """Make a backbone config tiny; return the widths of its maps."""
    if cfg.type.endswith('GridVisionTransformer'):
        cfg.update(arch=ARCH | dict(num_layers=4), img_size=(64, 32))
        if isinstance(cfg.get('out_indices'), (list, tuple)):
            cfg.out_indices = [0, 1, 2, 3]
            return (16, ) * 4
        return (16, )
    tiny = {c['model_name']: c for c in (STARNET, TINYVIT)}[cfg.model_name]
    cfg.update({k: v for k, v in tiny.items() if k in SIZES})
    return WIDTHS[cfg.model_name]


def shrink_run(cfg, work_dir):
    """No workers, no TensorBoard, no folder of others."""
    for name in ('train', 'val', 'test'):
        loader = cfg[f'{name}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = 2
    cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    cfg.env_cfg.dist_cfg.backend = 'gloo'
    cfg.pop('sync_bn', None)
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = work_dir.parent.name
    return cfg
