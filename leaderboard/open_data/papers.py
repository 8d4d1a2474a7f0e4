"""The papers whose data sets and protocols are evaluated, as they are cited: each written once."""

from __future__ import annotations

HICUPID = r"""@inproceedings{mok2025hicupid,
  title         = {Exploring the Potential of {LLM}s as Personalized Assistants: Dataset, Evaluation, and Analysis},
  author        = {Mok, Jisoo and Kim, Ik-hwan and Park, Sangkwon and Yoon, Sungroh},
  booktitle     = {Proceedings of the 63rd Annual Meeting of the Association for Computational Linguistics},
  year          = {2025},
  eprint        = {2506.01262},
  archiveprefix = {arXiv},
  url           = {https://arxiv.org/abs/2506.01262},
}
"""
HUMAN_GROUNDED = r"""@misc{zhang2026recentering,
  title         = {Re-Centering Humans in {LLM} Personalization},
  author        = {Zhang, Lechen and Liu, Jiarui and August, Tal},
  year          = {2026},
  eprint        = {2606.06614},
  archiveprefix = {arXiv},
  url           = {https://arxiv.org/abs/2606.06614},
}
"""
PAPERS = (HICUPID, HUMAN_GROUNDED)
