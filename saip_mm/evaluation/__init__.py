from .retrieval import RetrievalScores, chance_scores, retrieval_scores

__all__ = ['RetrievalScores', 'chance_scores', 'retrieval_scores']
