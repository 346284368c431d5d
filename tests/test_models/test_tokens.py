import pytest
import torch

from saip_mm.models import Request


@pytest.mark.parametrize('wrong, error', [
    (('anchor', 'teacher', ('image', )), "role 'teacher' is unknown"),
    (('anchor', 'student', ('patch', )), 'must be some of'),
    (('anchor', 'student', 'image'), 'must be some of'),
    (('anchor', 'student', ()), 'must be some of'),
])
def test_requests_of_nothing_known_are_refused(wrong, error):
    with pytest.raises(ValueError, match=error):
        Request(*wrong)


def test_only_the_student_can_wait_for_its_mask():

    def mask(given):
        return given[0].inner.norm(dim=-1) > 1

    Request('anchor', 'student', ('inner', ), mask)
    Request('anchor', 'expert', ('inner', ), torch.zeros(1, 4).bool())
    with pytest.raises(ValueError, match="the expert's anchor is a function"):
        Request('anchor', 'expert', ('inner', ), mask)


def test_equal_wishes_are_two_requests():
    """Answers are kept by request: one must not stand for another."""
    first, second = (
        Request('anchor', 'student', ('image', )) for _ in range(2))
    assert first != second and len({first, second}) == 2
