from .person_features import PersonFeatures, extract_features
from .retrieval import RetrievalScores, chance_scores, retrieval_scores
from .retrieval_metric import PersonRetrievalMetric

__all__ = [
    'PersonFeatures', 'PersonRetrievalMetric', 'RetrievalScores',
    'chance_scores', 'extract_features', 'retrieval_scores'
]
