import io
import sys

import pytest

from saip_mm.apis.command_line import one_line_errors


@pytest.mark.parametrize('error, text', [
    (ValueError('a\n  b\nc'), 'error: a   b c'),
    (FileNotFoundError(2, 'No such file',
                       'x.py'), "error: [Errno 2] No such file: 'x.py'"),
    (ValueError(), 'error: ValueError'),
    (PermissionError(''), 'error: PermissionError'),
])
def test_wrong_input_ends_with_one_line(error, text):
    with pytest.raises(SystemExit) as end:
        with one_line_errors():
            raise error
    assert end.value.code == text and end.value.__cause__ is error


@pytest.mark.parametrize('error', [KeyError, RuntimeError, AssertionError])
def test_faults_of_the_program_keep_their_traceback(error):
    with pytest.raises(error):
        with one_line_errors():
            raise error('a')


def test_names_of_any_bytes_can_be_printed(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), 'utf-8')
    monkeypatch.setattr(sys, 'stdout', out)
    with one_line_errors():
        print('a\udcff.jpg', flush=True)
    assert out.buffer.getvalue() == b'a\\udcff.jpg\n'
    monkeypatch.setattr(sys, 'stdout', io.StringIO())  # a notebook's
    with one_line_errors():
        print('a')
    assert sys.stdout.getvalue() == 'a\n'
