_base_ = 'person_pipeline.py'

# LUP4M: 4 180 243 images = all of LUPerson, paper Table 5; a copy made
# today has fewer, as videos vanish. Layout: lup1m.py.
#   data/luperson/lup4m.txt: build_image_list.py ... --set lup4m
train_dataloader = dict(
    dataset=dict(
        sources=[dict(data_root='data/luperson', ann_file='lup4m.txt')]))
