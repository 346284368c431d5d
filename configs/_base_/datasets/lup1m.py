_base_ = 'person_pipeline.py'

# LUP1M: 1 284 228 images, paper Table 5. One epoch: 627 iterations at 2048.
#   data/luperson/{any folders}/*.jpg, or an LMDB (lmdb/, keys.pkl)
#   data/luperson/lup1m.txt: tools/dataset_converters/build_image_list.py \
#       data/luperson data/luperson/lup1m.txt --set lup1m
# Which images the authors drew is not published.
train_dataloader = dict(
    dataset=dict(
        sources=[dict(data_root='data/luperson', ann_file='lup1m.txt')]))
