import numpy as np
import pytest
import torch

pytest.importorskip('mmdet')

from mmdet.utils import register_all_modules  # noqa: E402

from saip_mm.tasks.part_attributes import ke_head  # noqa: E402
from saip_mm.tasks.part_attributes.ke_head import Garments  # noqa: E402
from saip_mm.tasks.part_attributes.ke_head import KEHead  # noqa: E402
from saip_mm.tasks.part_attributes.ke_head import VisualContext  # noqa: E402

register_all_modules(init_default_scope=False)
K, A, C = 3, 5, 8  # categories, attributes, channels
HIDDEN = 6  # of the box head


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    """Category 1 has no attributes, 0 has two, 2 has three."""
    matrix = np.array([[.5, 0, 1, 0, 0], [0] * 5, [0, .25, 0, 1, .5]])
    file = tmp_path_factory.mktemp('knowledge') / 'matrix.npy'
    np.save(file, matrix)
    return str(file)


@pytest.fixture
def head(path):
    torch.manual_seed(0)
    return KEHead(
        K,
        A,
        in_channels=C,
        class_channels=HIDDEN,
        dims=8,
        hidden_dims=16,
        num_heads=2,
        knowledge=path).eval()


def garments(count=4, seed=1):
    torch.manual_seed(seed)
    corners = 30 * torch.rand(count, 2)
    return Garments(
        features=torch.randn(count, C, 7, 7),
        humans=torch.randn(2, C, 14, 14),
        wearer=torch.arange(count) % 2,
        boxes=torch.cat([corners, corners + 20], 1),
        human_boxes=torch.tensor([[0., 0, 50, 90], [5, 5, 60, 99]]),
        scores=torch.rand(count, K + 2).softmax(1),
        labels=torch.tensor([0, 2, 1, 2])[:count])


def weights():
    torch.manual_seed(2)
    return torch.randn(K + 2, HIDDEN)


def test_a_logit_for_each_pair(head):
    logits = head(garments(), weights())
    assert logits.shape == (4, A) and logits.isfinite().all()


def test_knowledge_as_the_sum_is_written(head):
    """R = K' (p_c W_c), then linear, ReLU, linear; in loops."""
    given, table = garments(), weights()
    tokens = head.knowledge_tokens(given.scores, table)
    for n in range(4):
        for a in range(A):
            known = torch.zeros(HIDDEN)
            for c in range(K):
                known += (head.knowledge[c, a] * given.scores[n, c] * table[c])
            wanted = head.class_project(known)
            assert torch.allclose(tokens[n, a], wanted, atol=1e-5)


def test_queries_are_those_of_the_category(head):
    queries = head.attribute_queries(torch.tensor([0, 1, 2]))
    whole = head.query(head.embedding.weight)
    for label, known in enumerate(([0, 2], [], [1, 3, 4])):
        for a in range(A):
            wanted = whole[a] if a in known else torch.zeros(8)
            assert torch.equal(queries[label, a], wanted)


def test_boxes_move_onto_their_wearers(head):
    """dx, dy in sides of the object, log ratios of the sides."""
    given = garments(1)._replace(
        boxes=torch.tensor([[10., 20, 30, 60]]),
        human_boxes=torch.tensor([[0., 0, 80, 160]]))
    seen = []
    head.geometry.register_forward_hook(
        lambda module, inputs, output: seen.append(inputs[0]))
    head(given, weights())
    wanted = [(40 - 20) / 20, (80 - 40) / 40,
              np.log(80 / 20),
              np.log(160 / 40)]
    assert seen[0][0].tolist() == pytest.approx(wanted)
    assert not seen[0].requires_grad


def test_flat_boxes_are_finite(head):
    flat = garments()._replace(boxes=torch.full((4, 4), 7.))
    assert head(flat, weights()).isfinite().all()


def test_objects_of_a_batch_do_not_meet(head):
    """Wearers are picked by their number."""
    given = garments()
    whole = head(given, weights())
    for n in range(4):
        alone = given._replace(
            features=given.features[n:n + 1],
            humans=given.humans[n % 2:n % 2 + 1],
            wearer=torch.tensor([0]),
            boxes=given.boxes[n:n + 1],
            human_boxes=given.human_boxes[n % 2:n % 2 + 1],
            scores=given.scores[n:n + 1],
            labels=given.labels[n:n + 1])
        assert torch.allclose(head(alone, weights())[0], whole[n], atol=1e-5)


def test_many_objects_are_asked_a_few_at_a_time(head, monkeypatch):
    """In tests, where memory counts."""
    given = garments()
    whole = head(given, weights())
    monkeypatch.setattr(ke_head, 'TOGETHER', 3)
    sizes = []
    head.geometry.register_forward_hook(
        lambda module, inputs, output: sizes.append(len(output)))
    with torch.no_grad():
        assert torch.allclose(head(given, weights()), whole, atol=1e-5)
    assert sizes == [3, 1]
    head(given, weights())
    assert sizes[2:] == [4]


def test_the_order_of_the_tokens(head):
    """49 seen, A known, 1 place, A queries; queries then ask the others."""
    seen = []
    for layer in (*head.mix, *head.ask):
        layer.register_forward_hook(
            lambda module, inputs, output: seen.append(inputs))
    given = garments()
    logits = head(given, weights())
    shapes = [[tokens.shape[1] for tokens in inputs] for inputs in seen]
    assert shapes == [[49 + 2 * A + 1] * 2] * 2 + [[A, 49 + A + 1]] * 2
    first = seen[0][0]
    assert torch.equal(first[:, 49:49 + A],
                       head.knowledge_tokens(given.scores, weights()))
    assert torch.equal(first[:, -A:], head.attribute_queries(given.labels))
    answers = head.ask[1](*seen[3])
    slow = torch.stack([(head.embedding.weight[a] * answers[:, a]).sum(1)
                        for a in range(A)], 1)
    assert torch.allclose(logits, slow, atol=1e-5)


def test_every_parameter_learns_and_nothing_else(head):
    given = garments()._replace(
        scores=garments().scores.requires_grad_(),
        features=garments().features.requires_grad_())
    table = weights().requires_grad_()
    logits = head(given, table)
    loss = head.loss(logits, torch.randint(0, 2, (4, A), dtype=torch.uint8))
    loss['loss_attribute'].backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
    assert given.features.grad.any()
    assert given.scores.grad is None and table.grad is None


def test_loss_is_five_times_the_mean(head):
    logits = torch.tensor([[0., 2, -1, 0, 0]])
    labels = torch.tensor([[1, 1, 0, 0, 1]], dtype=torch.uint8)
    terms = np.log1p(np.exp([0, -2, -1, 0, 0]))
    loss = head.loss(logits, labels)['loss_attribute']
    assert float(loss) == pytest.approx(5 * terms.mean())
    zero = head.loss(logits.abs() - 20, torch.zeros_like(labels))
    assert 0 <= float(zero['loss_attribute']) < 1e-6


def test_no_object_is_a_zero_of_every_parameter(head):
    loss = head.no_loss()['loss_attribute']
    loss.backward()
    assert loss.item() == 0
    for parameter in head.parameters():
        assert parameter.grad is not None and not parameter.grad.any()


def test_knowledge_travels_in_checkpoints(head, path, tmp_path, log):
    empty = KEHead(
        K,
        A,
        in_channels=C,
        class_channels=HIDDEN,
        dims=8,
        hidden_dims=16,
        num_heads=2,
        knowledge=str(tmp_path / 'none.npy')).eval()
    assert 'none.npy does not exist: attributes can be predicted with a ' \
        'checkpoint alone' in log.text
    with pytest.raises(
            RuntimeError,
            match='knowledge matrix is all zero: pass knowledge=.*none.npy'):
        empty(garments(), weights())
    assert 'knowledge' not in dict(empty.named_parameters())
    empty.load_state_dict(head.state_dict())
    assert torch.equal(
        empty(garments(), weights()), head(garments(), weights()))


def test_knowledge_of_another_shape(path):
    with pytest.raises(
            ValueError, match=r'matrix is \(3, 5\), expected \(46, 294\)'):
        KEHead(knowledge=path)


def test_visual_context_looks_at_the_wearer():
    torch.manual_seed(0)
    context = VisualContext(8, 16, num_heads=2).eval()
    features, humans = torch.randn(2, 8, 7, 7), torch.randn(1, 8, 14, 14)
    wearer = torch.tensor([0, 0])
    tokens = context(features, humans, wearer)
    assert tokens.shape == (2, 49, 16)
    assert not torch.allclose(tokens, context(features, humans.flip(1),
                                              wearer))
    other = features.clone()
    other[1] += 1
    assert torch.equal(context(other, humans, wearer)[0], tokens[0])


def test_parameters_at_full_size():
    """Attention as the specification counts it, the rest by hand."""
    head = KEHead()
    counts = {
        name: sum(p.numel() for p in part.parameters())
        for name, part in head.named_children()
    }
    assert sum(p.numel() for p in head.visual.layers.parameters()) == 199_168
    assert counts['mix'] == counts['ask'] == 1_054_208
    assert counts['geometry'] == 5 * 256
    assert counts['class_project'] == 1025 * 256 + 257 * 256
    assert counts['embedding'] == 294 * 256
    assert counts['query'] == 2 * (257 * 256 + 2 * 256)
    convolutions = 128 * 128 * 9 + 256 * 128 + 257 * 256 + 4 * 128
    assert counts['visual'] == 199_168 + convolutions


def test_learns_what_is_seen(path):
    """Two dresses of one kind whose features differ, 30 steps."""
    torch.manual_seed(0)
    head = KEHead(
        K,
        A,
        in_channels=C,
        class_channels=HIDDEN,
        dims=8,
        hidden_dims=16,
        num_heads=2,
        dropout=0.,
        knowledge=path)
    given = garments()._replace(labels=torch.tensor([2, 2, 2, 2]))
    wanted = torch.zeros(4, A)
    wanted[:2, 1] = wanted[2:, 3] = 1
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        loss = head.loss(head(given, weights()), wanted)['loss_attribute']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    found = head(given, weights()).sigmoid() > 0.3
    assert torch.equal(found, wanted > 0)
