_base_ = 'person_pipeline.py'

# LUP2M: 2 568 456 images = 2 x LUP1M, paper Table 5. Layout: lup1m.py.
#   data/luperson/lup2m.txt: build_image_list.py ... --set lup2m
train_dataloader = dict(
    dataset=dict(
        sources=[dict(data_root='data/luperson', ann_file='lup2m.txt')]))
