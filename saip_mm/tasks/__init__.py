"""What single tasks need. Each folder imports its own library; the core
never imports this package."""
