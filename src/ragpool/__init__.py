"""The pooled RAG workflow runtime."""
