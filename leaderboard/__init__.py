"""What people see and what is kept: pages, board, submissions, stores.

Nothing here imports torch, vllm or the worker: the web process runs on a small CPU machine.
"""
