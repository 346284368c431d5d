# Attributes of one's own: copy this file, change what is marked, and train.
#   python tools/train.py my_attributes.py
#   python tools/test.py my_attributes.py work_dirs/my_attributes/epoch_30.pth
#   python tools/tell_attributes.py my_attributes.py \
#       work_dirs/my_attributes/epoch_30.pth SOME_PICTURES --out told
#
# A list is a table as text, a picture a line; the first line names columns:
#   image,hat,backpack,long_sleeves
#   0001.jpg,1,0,1
#   0002.jpg,0,,1
# 1: the person has it, 0: has it not; empty or -1: nobody said, which is
# neither trained nor counted for the attribute. Commas, semicolons or tabs.
_base_ = '../pa100k/vit_tiny.py'  # yours: the path to that file; or another

data_root = 'data/my_attributes'  # yours; '~/my_attributes' is in your home
# yours: columns to take, in this order; others are left out
classes = ('hat', 'backpack', 'long_sleeves')

model = dict(head=dict(num_classes=len(classes)))

dataset = dict(
    _delete_=True,
    type='AttributeDataset',
    data_root=data_root,
    data_prefix='images',  # yours: folder of the pictures, in data_root
    metainfo=dict(classes=classes))
train_dataloader = dict(
    batch_size=64,  # no more than there are pictures
    dataset=dict(
        **dataset,
        ann_file='train.csv',  # yours
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        **dataset,
        ann_file='val.csv',  # yours
        pipeline=_base_.test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader

# PA100K's 30 epochs are of 90 000 pictures; of fewer take more
# train_cfg = dict(max_epochs=100)
