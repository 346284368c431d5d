from torch import Tensor, nn


class AttentionLayer(nn.Module):
    """Attention, norm, feed-forward, norm; each around a shortcut.

    The same parameters as mmcv's ``BaseTransformerLayer`` in this order. That
    one asks torch for the attention's weights, which nobody reads: 638 tokens
    of 64 objects in 8 heads would be 0.8 GB a layer.

    Args:
        dims (int): Width of the tokens.
        hidden_dims (int): Width inside the feed-forward part, with ReLU.
        num_heads (int): Defaults to 8.
        dropout (float): Of attention weights, of what attention and
            feed-forward give, and inside the latter. Defaults to 0.1.

    Example:
        >>> layer = AttentionLayer(128, 128)
        >>> sum(p.numel() for p in layer.parameters())
        99584
    """

    def __init__(self,
                 dims: int,
                 hidden_dims: int,
                 num_heads: int = 8,
                 dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            dims, num_heads, dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(dims)
        self.feed_forward = nn.Sequential(
            nn.Linear(dims, hidden_dims), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden_dims, dims), nn.Dropout(dropout))
        self.norm2 = nn.LayerNorm(dims)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Let queries look at tokens.

        Args:
            queries (Tensor): ``(N, L, dims)``.
            tokens (Tensor): ``(N, M, dims)``, keys and values; the queries
                themselves for self-attention.

        Returns:
            Tensor: ``(N, L, dims)``.
        """
        seen, _ = self.attention(queries, tokens, tokens, need_weights=False)
        queries = self.norm1(queries + self.dropout(seen))
        return self.norm2(queries + self.feed_forward(queries))
