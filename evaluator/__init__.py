"""The benchmark itself: data, prompts, engines, judging and metrics.

It knows nothing of Redis, RQ, Gradio or of writing to a store, so one command on one machine can run it.
"""
