"""Objections: what readers say is wrong about single answers, and what maintainers say to that."""
