import pytest

from saip_mm.apis import evaluate


def test_test_needs_something_to_test(tmp_path):
    config = tmp_path / 'pretrain.py'
    config.write_text('model = dict()\n')
    with pytest.raises(ValueError, match='no test_dataloader'):
        evaluate(str(config), 'weights.pth')
