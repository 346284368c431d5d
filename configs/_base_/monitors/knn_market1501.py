# k-NN retrieval on Market1501 while a pretraining config trains:
#   _base_ = ['PATH/saip/vit_tiny.py',
#             'PATH/_base_/monitors/knn_market1501.py']
#   default_hooks = dict(knn=_base_.knn_market1501)
# Data: data/market1501/{query,bounding_box_test}/*.jpg, or the archive's own
# folder Market-1501-v15.09.15 in data/market1501. No training image is read.
knn_market1501 = dict(
    type='RetrievalMonitorHook',
    query=dict(
        type='MarketDataset', data_root='data/market1501', split='query'),
    gallery=dict(
        type='MarketDataset', data_root='data/market1501', split='gallery'),
    interval=10)  # epochs # ours
