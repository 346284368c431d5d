"""The tests of this folder need mmdet."""
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec('mmdet') else ['test_*.py']
