from .confusion import confusion_matrix, part_scores
from .person_features import PersonFeatures, extract_features
from .rerank import Reranking
from .retrieval import RetrievalScores, chance_scores, retrieval_scores
from .retrieval_metric import PersonRetrievalMetric

__all__ = [
    'PersonFeatures', 'PersonRetrievalMetric', 'Reranking', 'RetrievalScores',
    'chance_scores', 'confusion_matrix', 'extract_features', 'part_scores',
    'retrieval_scores'
]
