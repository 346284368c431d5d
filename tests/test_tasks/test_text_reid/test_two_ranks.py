"""Losses over two gloo processes are those of the whole batch."""
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mmpretrain.registry import MODELS
from saip_mm.tasks.text_reid import CaptionTokenizer
from .persons import TEXTS, WORDS, needs_vocabulary, tiny_irra
from .test_irra import batch

pytestmark = needs_vocabulary


def whole_model():
    torch.manual_seed(0)
    return MODELS.build(tiny_irra()).eval()


def half(data, rank):
    return {key: value[2 * rank:2 * rank + 2] for key, value in data.items()}


def hide_words(ids, mask, prob):
    """The same in any batch; the first picture's sentence hides two words,
    so that the processes have different numbers of them."""
    words = torch.zeros_like(ids)
    words[:, 1] = ids[:, 1]
    first = CaptionTokenizer(**WORDS)(TEXTS[:1])
    second = (ids == first).all(1)
    words[second, 2] = ids[second, 2]
    return ids.masked_fill(words > 0, mask), words


def gradients(model, data, wrapped):
    from saip_mm.tasks.text_reid import irra
    kept, irra.mask_words = irra.mask_words, hide_words
    terms = wrapped(**model.data_preprocessor(data, True), mode='loss')
    irra.mask_words = kept
    sum(v for k, v in terms.items() if 'loss' in k).backward()
    return {k: p.grad.clone() for k, p in model.named_parameters()}, terms


def work(rank, port, folder):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    model = whole_model()
    wrapped = torch.nn.parallel.DistributedDataParallel(model)
    grads, terms = gradients(model, half(batch(), rank), wrapped)
    torch.save((grads, {
        k: v.detach()
        for k, v in terms.items()
    }), f'{folder}/{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_are_one_batch(tmp_path, free_port):
    mp.spawn(work, (free_port, str(tmp_path)), 2)
    model = whole_model()
    wanted, terms = gradients(model, batch(), model)
    (one, first), (two, second) = [
        torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        for rank in range(2)
    ]
    for key, value in wanted.items():
        torch.testing.assert_close(one[key], value, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(one[key], two[key])
    torch.testing.assert_close(first['loss_sdm'], terms['loss_sdm'])
    assert first['loss_irr'] != second['loss_irr']
    for name in ('loss_id', 'loss_irr'):
        torch.testing.assert_close((first[name] + second[name]) / 2,
                                   terms[name])
