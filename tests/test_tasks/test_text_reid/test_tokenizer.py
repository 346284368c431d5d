import builtins

import pytest
import torch

from saip_mm.tasks.text_reid.tokenizer import CaptionTokenizer, clean_caption
from .persons import needs_vocabulary

pytestmark = needs_vocabulary
PERSON = ('The person has short black hair and is wearing black pants, a long '
          'sleeve black top, and red sneakers.')
PERSON_IDS = [
    518, 2533, 791, 3005, 1449, 2225, 537, 533, 3309, 1449, 5003, 267, 320,
    1538, 10536, 1449, 1253, 267, 537, 736, 17397, 269
]


@pytest.fixture(scope='module')
def tokenizer():
    return CaptionTokenizer()


def test_ids_of_clip(tokenizer):
    assert tokenizer.encode(PERSON) == PERSON_IDS
    assert tokenizer.encode('T-shirt &amp; jeans!!') == [
        339, 268, 2523, 261, 10157, 748
    ]
    row, = tokenizer([PERSON])
    assert row.dtype == torch.int64 and row.shape == (77, )
    assert row.tolist() == [49406, *PERSON_IDS, 49407] + [0] * 53


@pytest.mark.parametrize('text', [
    'Hello wörld 中文 🙂 it\'s 42x', ' naïve café—test… don\'t\n\n',
    'the man\'s 1.5m  I\'ll we\'ve T-Shirts',
    PERSON.upper()
])
def test_same_as_mmsegmentation(tokenizer, text):
    other = pytest.importorskip('mmseg.utils.tokenizer')
    assert tokenizer.encode(text) == other._tokenizer.encode(text)


def test_the_word_in_the_masks_place_is_two_pieces(tokenizer):
    assert tokenizer.mask == 49405
    assert tokenizer.encode('Jekyll') == [43893, 865]


def test_special_names_in_a_caption_are_letters_and_signs(tokenizer):
    ids = tokenizer.encode('<end_of_text> <|endoftext|> <|mask|>')
    assert max(ids) < tokenizer.mask


def test_too_long_is_cut_or_refused(tokenizer):
    row, = tokenizer(['red ' * 88])
    assert row[0] == 49406 and row[-1] == 49407 and (row[1:-1] == 736).all()
    strict = CaptionTokenizer(truncate=False)
    strict(['red ' * 75])
    with pytest.raises(
            ValueError, match='caption needs 90 tokens, context is 77'):
        strict(['red ' * 88])


@pytest.mark.parametrize('text', ['', ' \n\t', '&nbsp;', '\u2003'])
def test_no_word_is_left(tokenizer, text):
    assert clean_caption(text) == ''
    with pytest.raises(ValueError, match='is empty: no word is left'):
        tokenizer.encode(text)


def test_a_smaller_vocabulary():
    tokenizer = CaptionTokenizer(vocab_size=1024, context_length=64)
    assert (tokenizer.mask, tokenizer.start, tokenizer.end) == (1021, 1022,
                                                                1023)
    row, = tokenizer([PERSON])
    assert row.max() == 1023 and row.argmax() > 23
    with pytest.raises(ValueError, match='at least 515'):
        CaptionTokenizer(vocab_size=514)


@pytest.mark.parametrize('name, said',
                         [('ftfy', 'captions are mended by ftfy'),
                          ('regex', 'regex is not')])
def test_missing_libraries(monkeypatch, name, said):
    whole = builtins.__import__

    def without(module, *args, **kwargs):
        if module == name:
            raise ImportError(name)
        return whole(module, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without)
    with pytest.raises(ImportError, match=f'{said}.*saip_mm.text.'):
        CaptionTokenizer().encode('a')
