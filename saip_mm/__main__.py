"""``python -m saip_mm``: the same as ``saip-mm``."""
from .cli import main

if __name__ == '__main__':
    main()
