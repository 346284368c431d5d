from ..preprocessors import Views


def need_scales(views: Views) -> None:
    """Refuse a batch without multi-resolution views.

    Raises:
        ValueError: If there is none.
    """
    if not views.scales:
        raise ValueError(
            'reconstruction and search need at least one multi-resolution '
            'view: set num_scales >= 1 in PersonCrops, or leave the csr '
            'and css heads out')
