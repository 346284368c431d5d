"""What the commands are given."""
from ..test_apis.conftest import vit_file  # noqa: F401
