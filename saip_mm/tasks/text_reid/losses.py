"""How far pictures and sentences are from telling the same persons."""
import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-8  # of the logarithm of a target that is 0


def unit_vectors(x: Tensor, what: str) -> Tensor:
    """Scale rows to length 1, in float32.

    Args:
        x (Tensor): ``(B, D)``.
        what (str): What they are, for the error.

    Raises:
        ValueError: If a row is zero or not finite.
    """
    x = x.float()
    norms = x.norm(dim=1, keepdim=True)
    if not (norms.isfinite() & (norms > 0)).all():
        row = int((~(norms.isfinite() & (norms > 0))).nonzero()[0, 0])
        raise ValueError(f'the {what} vector {row} of the batch is '
                         f'{"zero" if norms[row] == 0 else "not finite"}: '
                         'lower the learning rate, or look at the weights '
                         'that the run started from')
    return x / norms


def target_shares(persons: Tensor) -> Tensor:
    """Equal shares of each row among those who are the same person.

    Args:
        persons (Tensor): ``(B, )`` int.

    Returns:
        Tensor: ``(B, B)`` float, rows sum to 1.

    Example:
        >>> target_shares(torch.tensor([3, 7, 3]))
        tensor([[0.5000, 0.0000, 0.5000],
                [0.0000, 1.0000, 0.0000],
                [0.5000, 0.0000, 0.5000]])
    """
    same = (persons[:, None] == persons).float()
    return same / same.sum(1, keepdim=True)


def divergence(logits: Tensor, targets: Tensor) -> Tensor:
    """KL of the softmax of each row from its target, mean over rows.

    Args:
        logits (Tensor): ``(B, N)``.
        targets (Tensor): ``(B, N)``, rows sum to 1; zeros count as 1e-8.
    """
    log_p = logits.log_softmax(1)
    return (log_p.exp() * (log_p - (targets + EPS).log())).sum(1).mean()


def distribution_loss(images: Tensor,
                      sentences: Tensor,
                      persons: Tensor,
                      temperature: float = 0.02) -> Tensor:
    """Similarity distribution matching, both ways, added.

    Args:
        images (Tensor): ``(B, D)``, any norm.
        sentences (Tensor): ``(B, D)``, any norm.
        persons (Tensor): ``(B, )`` int.
        temperature (float): Of the softmax over cosine similarities; fixed.
            Defaults to 0.02.

    Returns:
        Tensor: Scalar float32.

    Raises:
        ValueError: If a vector is zero or not finite.

    Source:
        SDM of IRRA (Jiang and Ye, CVPR 2023).
    """
    with torch.autocast(images.device.type, enabled=False):
        images = unit_vectors(images, 'image')
        sentences = unit_vectors(sentences, 'sentence')
        logits = sentences @ images.T / temperature
        targets = target_shares(persons)
        return divergence(logits, targets) + divergence(logits.T, targets)


def projection_loss(images: Tensor, sentences: Tensor,
                    persons: Tensor) -> Tensor:
    """Cross-modal projection matching, both ways, added.

    As :func:`distribution_loss`, but the length of what is asked stays and is
    the temperature.

    Source:
        CMPM of Zhang and Lu (ECCV 2018).
    """
    with torch.autocast(images.device.type, enabled=False):
        targets = target_shares(persons)
        to_text = images.float() @ unit_vectors(sentences, 'sentence').T
        to_image = sentences.float() @ unit_vectors(images, 'image').T
        return divergence(to_text, targets) + divergence(to_image, targets)


def contrastive_loss(images: Tensor,
                     sentences: Tensor,
                     temperature: float = 0.02) -> Tensor:
    """InfoNCE: each picture and its own sentence, mean of both ways.

    Source:
        CLIP (Radford et al. 2021), with a fixed temperature.
    """
    with torch.autocast(images.device.type, enabled=False):
        images = unit_vectors(images, 'image')
        logits = unit_vectors(sentences, 'sentence') @ images.T / temperature
        own = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, own) +
                F.cross_entropy(logits.T, own)) / 2
