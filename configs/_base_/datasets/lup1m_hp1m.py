_base_ = 'person_pipeline.py'

# LUP1M + HP1M: 1 284 228 + 1 218 136 = 2 502 364 images, paper Table 5.
train_dataloader = dict(
    dataset=dict(sources=[
        dict(data_root='data/luperson', ann_file='lup1m.txt'),
        dict(data_root='data/hp1m'),
    ]))
