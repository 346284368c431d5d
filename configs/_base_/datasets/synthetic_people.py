_base_ = 'person_pipeline.py'

# Rendered people: nothing to download.
#   data/synthetic/luperson/, data/synthetic/market1501/
train_dataloader = dict(
    dataset=dict(sources=[dict(data_root='data/synthetic/luperson')]))

# What the k-NN monitor scores.
knn_query = dict(
    type='MarketDataset', data_root='data/synthetic/market1501', split='query')
knn_gallery = dict(
    type='MarketDataset',
    data_root='data/synthetic/market1501',
    split='gallery')
