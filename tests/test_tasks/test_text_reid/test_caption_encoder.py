import math

import pytest
import torch
from torch import nn

from saip_mm.tasks.text_reid.caption_encoder import (CaptionEncoder,
                                                     sentence_vectors)
from saip_mm.weights import NoMatchError

SIZE = dict(
    vocab_size=60,
    context_length=12,
    width=16,
    layers=2,
    heads=2,
    out_channels=10)


def encoder(checkpoint=None, **changes):
    torch.manual_seed(0)
    model = CaptionEncoder(
        **{
            **SIZE,
            **changes
        },
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint))
    model.init_weights()
    return model.eval()


def ids():
    rows = torch.zeros(3, 12, dtype=torch.long)
    for row, words in zip(rows, (2, 5, 10)):
        row[:words + 2] = torch.tensor([58, *range(1, words + 1), 59])
    return rows


def slow_tokens(weights, row, heads):
    """One sentence, float64, token after token."""
    w = {k: v.double() for k, v in weights.items()}
    x = [w['token_embedding.weight'][i] for i in row]
    x = [a + b for a, b in zip(x, w['positional_embedding'])]

    def norm(v, name):
        v = (v - v.mean()) / (v.var(unbiased=False) + 1e-5).sqrt()
        return v * w[f'{name}.weight'] + w[f'{name}.bias']

    for block in range(SIZE['layers']):
        at = f'transformer.resblocks.{block}.'
        qkv = [(w[at + 'attn.in_proj_weight'] @ norm(v, at + 'ln_1') +
                w[at + 'attn.in_proj_bias']).chunk(3) for v in x]
        out = []
        for place in range(len(x)):
            parts = []
            for head in range(heads):
                cut = slice(*(head * 8, head * 8 + 8))
                scores = torch.stack([
                    qkv[place][0][cut] @ qkv[other][1][cut] / math.sqrt(8)
                    for other in range(place + 1)
                ]).softmax(0)
                parts.append(
                    sum(s * qkv[other][2][cut]
                        for other, s in enumerate(scores)))
            out.append(w[at + 'attn.out_proj.weight'] @ torch.cat(parts) +
                       w[at + 'attn.out_proj.bias'])
        x = [a + b for a, b in zip(x, out)]
        for place, v in enumerate(x):
            v = w[at + 'mlp.c_fc.weight'] @ norm(
                v, at + 'ln_2') + w[at + 'mlp.c_fc.bias']
            v = v / (1 + (-1.702 * v).exp())
            x[place] = x[place] + w[at + 'mlp.c_proj.weight'] @ v + w[
                at + 'mlp.c_proj.bias']
    return torch.stack([norm(v, 'ln_final') @ w['text_projection'] for v in x])


def test_against_a_slow_restatement():
    model = encoder()
    for param in model.parameters():  # norms and biases as well
        nn.init.normal_(param, std=0.3)
    tokens = model(ids())
    for row, found in zip(ids(), tokens):
        wanted = slow_tokens(model.state_dict(), row, SIZE['heads'])
        torch.testing.assert_close(
            found.double(), wanted, rtol=1e-4, atol=1e-5)


def test_the_end_has_seen_all_words_and_nothing_behind_it():
    model, rows = encoder(), ids()
    before = sentence_vectors(model(rows), rows)
    assert before.shape == (3, 10)
    changed = rows.clone()
    changed[0, 5:] = 7  # behind the end, which is not the largest id's place
    torch.testing.assert_close(
        model(changed)[0, 3], before[0], rtol=0, atol=1e-6)
    changed = rows.clone()
    changed[:, 1] = 30
    assert (sentence_vectors(model(changed), changed) -
            before).abs().max() > (1e-4)


def test_deviations_of_the_start():
    model = CaptionEncoder(vocab_size=500, width=128, layers=3, heads=4)
    block = model.transformer.resblocks[1]
    narrow = 128**-0.5 * 6**-0.5
    for weight, wanted in ((model.token_embedding.weight,
                            0.02), (model.positional_embedding, 0.01),
                           (block.attn.in_proj_weight,
                            128**-0.5), (block.attn.out_proj.weight, narrow),
                           (block.mlp.c_fc.weight,
                            256**-0.5), (block.mlp.c_proj.weight, narrow),
                           (model.text_projection, 128**-0.5)):
        assert weight.std().item() == pytest.approx(wanted, rel=0.03)


def as_transformers(weights):
    """Under the names of ``CLIPTextModelWithProjection``."""
    out = {}
    for key, value in weights.items():
        key = 'text_model.' + key.replace(
            'transformer.resblocks', 'encoder.layers').replace(
                'ln_final', 'final_layer_norm').replace(
                    '.ln_', '.layer_norm').replace('c_fc', 'fc1').replace(
                        'c_proj', 'fc2').replace('.attn.', '.self_attn.')
        if 'in_proj' in key:
            for which, part in zip('qkv', value.chunk(3)):
                out[key.replace('in_proj_', f'{which}_proj.')] = part
        elif 'token_embedding' in key:
            out['text_model.embeddings.token_embedding.weight'] = value
        elif 'positional' in key:
            out['text_model.embeddings.position_embedding.weight'] = value
        elif 'text_projection' in key:
            out['text_projection.weight'] = value.T.contiguous()
        else:
            out[key] = value
    out['logit_scale'] = torch.ones(())
    out['vision_model.embeddings.class_embedding'] = torch.ones(4)
    return out


def as_openai(weights):
    """CLIP's whole model, in half precision."""
    out = {key: value.half() for key, value in weights.items()}
    return dict(
        out, **{
            'visual.positional_embedding': torch.ones(5, 4),
            'logit_scale': torch.ones(())
        })


def inside_irra(weights):
    return {f'text.{key}': value for key, value in weights.items()}


@pytest.mark.parametrize('layout', [as_transformers, as_openai, inside_irra])
def test_layouts_of_other_files(layout, tmp_path):
    donor = encoder().state_dict()
    donor = {k: (v + 0.5).half().float() for k, v in donor.items()}
    path = str(tmp_path / 'clip.pth')
    torch.save(layout(donor), path)
    found = encoder(path).state_dict()
    for key, value in donor.items():
        assert torch.equal(found[key], value), key


def test_safetensors(tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    donor = encoder(width=16).state_dict()
    path = str(tmp_path / 'model.safetensors')
    safetensors.save_file(as_transformers(donor), path)
    found = encoder(path).state_dict()
    assert all(torch.equal(found[key], donor[key]) for key in donor)


def test_random_start_is_told(log):
    encoder()
    assert 'the text tower starts from random weights' in log.text
    assert 'model.text.init_cfg.checkpoint=FILE' in log.text


def test_files_of_other_models(tmp_path):
    path = str(tmp_path / 'other.pth')
    donor = encoder().state_dict()
    torch.save({'visual.positional_embedding': torch.ones(5, 4)}, path)
    with pytest.raises(NoMatchError, match='other.pth does not fit'):
        encoder(path)
    lacking = {k: v for k, v in donor.items() if 'ln_2' not in k}
    torch.save(lacking, path)
    with pytest.raises(
            ValueError, match=r'missing: transformer\S+ln_2.weight'):
        encoder(path)
    torch.save(donor, path)
    with pytest.raises(ValueError, match='of another shape: positional_embed'):
        encoder(path, context_length=20)
    with pytest.raises(FileNotFoundError):
        encoder(str(tmp_path / 'gone.pth'))
