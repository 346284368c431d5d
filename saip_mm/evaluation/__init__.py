from .person_features import PersonFeatures, extract_features
from .retrieval import RetrievalScores, chance_scores, retrieval_scores

__all__ = [
    'PersonFeatures', 'RetrievalScores', 'chance_scores', 'extract_features',
    'retrieval_scores'
]
