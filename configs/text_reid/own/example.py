# Search by text among pictures of one's own: copy this file, change what is
# marked, and train.
#   python tools/train.py my_search.py
#   python tools/test.py my_search.py work_dirs/my_search/epoch_60.pth
#   python tools/search_by_text.py my_search.py CHECKPOINT \
#       --text 'a woman in a red coat' --folder data/my_persons/imgs
#
# One JSON file names the pictures, crops of a person each, a line a picture:
#   [{"split": "train", "id": 7, "file_path": "a/0001.jpg",
#     "captions": ["A woman in a red coat.", "She carries a black bag."]},
#    {"split": "test", "id": 31, "file_path": "b/0001.jpg", "captions": []}]
# id: who is shown, any whole numbers. Of split test all pictures are searched
# through, by all captions; those without captions are searched through too.
_base_ = '../cuhk_pedes/vit_tiny.py'  # yours: the path to it; or another one

data = dict(
    type='CaptionedPersons',
    data_root='data/my_persons',  # yours; '~/persons' is in your home
    ann_file='captions.json',
    data_prefix='imgs',  # folder of the pictures in data_root
    # skip_empty=True,  # leave out captions without a word, count them
)
train_dataloader = dict(batch_size=64, dataset=data)  # per GPU
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)

model = dict(
    # yours: persons to train; the error of another number tells the right one
    heads=dict(person=dict(num_classes=200)),
    # yours: CLIP's text half, OpenAI's or transformers' ViT-B/16; a few
    # thousand sentences are too few to learn English from
    text=dict(init_cfg=dict(checkpoint=None)))
