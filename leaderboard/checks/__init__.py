"""What is looked at before a model is queued, each with its own result and remedy."""
