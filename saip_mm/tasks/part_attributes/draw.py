from typing import List, Optional

import numpy as np
from mmdet.registry import VISUALIZERS
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData


@VISUALIZERS.register_module()
class FashionLocalVisualizer(DetLocalVisualizer):
    """mmdet's visualizer, which writes attributes beside categories.

    Args:
        name (str): Of the instance. Defaults to 'visualizer'.
        most (int): Attributes to name of each object, the most probable
            ones. Defaults to 3.
        **kwargs: Arguments of ``mmdet.DetLocalVisualizer``.
    """

    def __init__(self,
                 name: str = 'visualizer',
                 most: int = 3,
                 **kwargs) -> None:
        super().__init__(name=name, **kwargs)
        self.most = most

    def _draw_instances(self, image: np.ndarray, instances: InstanceData,
                        classes: Optional[List[str]],
                        palette: Optional[List[tuple]]) -> np.ndarray:
        names = (self.dataset_meta or {}).get('attributes')
        if names and classes and 'attributes' in instances:
            instances = instances.clone()
            instances.label_names = [
                self._describe(classes[label], flags, chances, names)
                for label, flags, chances in zip(
                    instances.labels, instances.attributes,
                    instances.get('attribute_scores', instances.attributes))
            ]
        return super()._draw_instances(image, instances, classes, palette)

    def _describe(self, category: str, flags, chances,
                  names: List[str]) -> str:
        order = np.argsort(-np.asarray(chances, np.float64), kind='stable')
        kept = [names[i] for i in order if flags[i]][:self.most]
        return f'{category} ({"; ".join(kept)})' if kept else category
