# PETA-zs, 35 attributes: 11 241 + 3 826 pictures to train, 3 933 to test, no
# person in both. The split is a file of its own, see docs/data.md; another
# one of PETA: dataset.partition='own' or 'random0' in all three loaders.
# Training watches the test pictures, see pa100k_256x128.py. Rendered people
# instead: data_root=data/synthetic/peta in all three.
_base_ = './pa100k_256x128.py'

data_root = 'data/PETA'
dataset = dict(
    _delete_=True, type='PETADataset', data_root=data_root, partition='zs')
train_dataloader = dict(
    dataset=dict(**dataset, split='trainval', pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        **dataset, split='test', pipeline=_base_.test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader
