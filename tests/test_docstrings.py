"""What docstrings say of defaults is what signatures have."""
import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / 'saip_mm'
ARGUMENTS = re.compile(r'^Args:\n((?: {4}.*\n|\n)+)', re.MULTILINE)
ENTRY = re.compile(r'^ {4}(?=\w+ \()', re.MULTILINE)
CLAIM = re.compile(r'Defaults to (\'[^\']*\'|\([^)/]*\)|\[[^\]]*\]'
                   r'|-?\d+(?:\.\d+)?(?:e-?\d+)?|(?:None|True|False)\b)')


def described(docstring):
    """Text of each argument, by name, on one line."""
    found = ARGUMENTS.search(docstring + '\n')
    for entry in ENTRY.split(found[1])[1:] if found else ():
        yield entry.partition(' ')[0], ' '.join(entry.split())


def defaults_of(function):
    """Defaults of a function, by name, as far as they are literals."""
    named = function.args.posonlyargs + function.args.args
    pairs = list(
        zip(named[len(named) - len(function.args.defaults):],
            function.args.defaults))
    pairs += zip(function.args.kwonlyargs, function.args.kw_defaults)
    for argument, value in pairs:
        try:
            yield argument.arg, ast.literal_eval(value)
        except (ValueError, TypeError):  # a name, or no default
            continue


def callables():
    """Functions and classes with a docstring, and what takes arguments."""
    for path in sorted(PACKAGE.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.FunctionDef):
                function = node
            elif isinstance(node, ast.ClassDef):
                function = next(
                    (n for n in node.body
                     if isinstance(n, ast.FunctionDef) and n.name == '__init__'
                     ), None)
            else:
                continue
            if function is not None and ast.get_docstring(node):
                yield f'{path.name}: {node.name}', node, function


def test_defaults_are_those_of_the_signature():
    """Where both are literals; None may stand for what the body makes."""
    wrong, looked_at = [], 0
    for where, node, function in callables():
        defaults = dict(defaults_of(function))
        for name, text in described(ast.get_docstring(node)):
            claim = CLAIM.search(text)
            if not claim or defaults.get(name) is None:
                continue
            if isinstance(defaults[name], tuple) and claim[1][0] not in '([':
                continue  # told in words: 1, 5 and 10
            looked_at += 1
            if ast.literal_eval(claim[1]) != defaults[name]:
                wrong.append(f'{where}, {name}: {claim[1]} is said, '
                             f'{defaults[name]} it is')
    assert wrong == []
    assert looked_at > 120
