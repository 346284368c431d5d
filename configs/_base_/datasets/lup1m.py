_base_ = 'person_pipeline.py'

# LUP1M: 1 284 228 images, paper Table 5. One epoch: 627 iterations at 2048.
#   data/luperson/{any folders}/*.jpg, or an LMDB (lmdb/, keys.pkl)
#   data/luperson/lup1m.txt: tools/dataset_converters/build_image_list.py \
#       data/luperson data/luperson/lup1m.txt --set lup1m
# Which images the authors drew is not published.
#
# Pixels are normalised by ImageNet's statistics, as in the authors' release.
# LUPerson's own (its MoCo code), for the preprocessor and all later use:
#   model = dict(data_preprocessor=dict(  # expert, monitor and files follow
#       mean=(89.89, 79.20, 80.07),  # 255 x (0.3525, 0.3106, 0.3140)
#       std=(67.83, 64.31, 63.88)))  # 255 x (0.2660, 0.2522, 0.2505)
train_dataloader = dict(
    dataset=dict(
        sources=[dict(data_root='data/luperson', ann_file='lup1m.txt')]))
