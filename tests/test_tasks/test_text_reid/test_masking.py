import torch

from saip_mm.tasks.text_reid.masking import mask_words

MASK, START, END = 97, 98, 99


def sentences(count, words=20):
    ids = torch.zeros(count, 32, dtype=torch.long)
    ids[:, 0] = START
    ids[:, 1:1 + words] = torch.randint(1, MASK, (count, words))
    ids[:, 1 + words] = END
    return ids


def test_shares_of_words_chosen_hidden_replaced_and_left():
    torch.manual_seed(0)
    ids = sentences(20_000)
    before = ids.clone()
    masked, words = mask_words(ids, MASK)
    assert torch.equal(ids, before)
    word = (ids > 0) & (ids < MASK)
    chosen = words > 0
    assert not (chosen & ~word).any()
    assert torch.equal(words[chosen], ids[chosen])
    assert torch.equal(masked[~chosen], ids[~chosen])
    # 0.85 ** 20 of the sentences have none chosen and get their first
    expected = 0.15 + 0.85**20 / 20
    assert abs(chosen.sum() / word.sum() - expected) < 0.002
    hidden = (masked == MASK)[chosen].float().mean()
    same = (masked == ids)[chosen].float().mean()
    first = 0.85**20 / 20 / expected  # of those chosen; always hidden
    assert abs(hidden - (0.8 * (1 - first) + first)) < 0.005
    # a random word is the same by chance
    assert abs(same - (0.1 + 0.1 / 96) * (1 - first)) < 0.005
    assert masked[chosen].min() >= 1 and masked[chosen].max() <= MASK


def test_first_word_is_hidden_if_none_is_chosen():
    ids = sentences(5)
    masked, words = mask_words(ids, MASK, prob=0.)
    assert (masked[:, 1] == MASK).all()
    assert torch.equal(words[:, 1], ids[:, 1])
    assert words[:, 2:].sum() == 0 and torch.equal(masked[:, 2:], ids[:, 2:])


def test_the_end_of_a_sentence_stays_its_largest_id():
    torch.manual_seed(1)
    ids = sentences(300, words=3)
    masked, _ = mask_words(ids, MASK, prob=0.9)
    assert torch.equal(masked.argmax(1), ids.argmax(1))


def test_a_piece_of_id_0_is_never_what_is_to_be_told():
    """CLIP's first piece, '!' inside a word, has the pad's id."""
    ids = torch.tensor([[98, 0, 7, 99, 0], [98, 0, 99, 0, 0]])
    masked, words = mask_words(ids, mask=97, prob=0.)
    assert words.tolist() == [[0, 0, 7, 0, 0], [0] * 5]
    assert masked.tolist() == [[98, 0, 97, 99, 0], ids[1].tolist()]
