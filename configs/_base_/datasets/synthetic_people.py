_base_ = 'person_pipeline.py'

# Rendered people: nothing to download.
#   data/synthetic/luperson/
train_dataloader = dict(
    dataset=dict(sources=[dict(data_root='data/synthetic/luperson')]))
