"""The engine of `make bench-judge`: a worker's, in the same kind of process, that can also make a bare `LLM.chat` call.

Both are asked of one loaded vLLM. Judging comes first, and what it asks is noted on its way: the bare call is given
the same prompts, in the same order, with the same decodings.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from evaluator.engines.base import EngineInfo, EngineSpec, Request, Sampling, request_seed, sampling_for
from evaluator.engines.child import ChildProcess
from evaluator.engines.host import answerer, info_line, requests_in, samplings_in
from evaluator.engines.hosting import Answerer, Answers, host
from evaluator.engines.process import EngineProcess


class BenchEngine(EngineProcess):
    """A worker's engine, and what is measured beside it."""

    MODULE = "benchmarks.judge_engine"

    def __init__(self, spec: EngineSpec, log: Path) -> None:
        """Starts the process and waits until the model is loaded; its output goes to the file `log`.

        Raises:
            RapportError: As of `EngineProcess`.
        """
        reads = [Path(spec.model_path), Path(__file__).parent]
        ChildProcess.__init__(self, spec, EngineInfo, reads, log)

    def asked(self) -> dict[str, Any]:
        """Returns what judging asked for: `calls` of the engine, and `groups` with the number of their prompts."""
        asked: dict[str, Any] = self._bench("asked")
        return asked

    def afresh(self) -> None:
        """Empties the prefix cache and counts the engine's steps from 0."""
        self._bench("afresh")

    def steps(self) -> int:
        """Returns the engine's steps since then: how many a run needs is no matter of how busy the machine is."""
        steps: int = self._bench("steps")
        return steps

    def bare(self) -> float:
        """Makes the bare call and returns the seconds that it took, in its process: no way there and back counts."""
        seconds: float = self._bench("bare")
        return seconds

    def said(self) -> list[tuple[str, str]]:
        """Returns the digests of the prompts that the bare call read last, each with what was said to it."""
        return [(prompt, text) for prompt, text in self._bench("said")]

    def cpu_seconds(self) -> float:
        """Returns the processor time of this process and of all that it started, whatever else the machine does."""
        own = psutil.Process()
        times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def _bench(self, what: str) -> Any:
        self._send({"bench": what})
        return self._receive()["bench"]


class _Bare:
    """The bare call, in the engine's process."""

    def __init__(self, engine: Any) -> None:
        """Counts the steps of a `VllmEngine` and notes what it is asked until the first bare call."""
        self._engine, self._llm = engine, engine._llm
        self._noted: list[list[tuple[Request, Sampling]]] = []
        self._call: Callable[[], list[Any]] | None = None
        self._outputs: list[Any] = []
        self._steps, step = 0, self._llm.llm_engine.step

        def counted() -> Any:
            self._steps += 1
            return step()

        self._llm.llm_engine.step = counted

    def note(self, asked: dict[str, Any]) -> None:
        """Takes a `generate` line that is about to be answered."""
        if self._call is None:
            samplings = samplings_in(asked)
            self._noted.append([(each, sampling_for(samplings, each)) for each in requests_in(asked["requests"])])

    def answer(self, what: str) -> Any:
        """Answers a `bench` line."""
        answers: dict[str, Callable[[], Any]] = {
            "afresh": self._afresh,
            "asked": self._asked,
            "bare": self._bare,
            "said": self._said,
            "steps": lambda: self._steps,
        }
        return answers[what]()

    def _afresh(self) -> None:
        """Lets nothing of one run be found by the next."""
        if not self._llm.reset_prefix_cache():
            raise RuntimeError("The prefix cache was not emptied.")
        self._steps = 0

    def _asked(self) -> dict[str, Any]:
        groups = Counter(request.group for call in self._noted for request, _ in call)
        return {"calls": len(self._noted), "groups": groups}

    def _bare(self) -> float:
        if self._call is None:
            self._call = self._prepared()
        started = time.monotonic()
        self._outputs = self._call()
        return time.monotonic() - started

    def _prepared(self) -> Callable[[], list[Any]]:
        """Returns the call of `LLM.chat` on what was noted; all that it is given is made beforehand."""
        from evaluator.engines.vllm import _parameters

        asked = [pair for call in self._noted for pair in call]
        conversations = [[message._asdict() for message in request.messages] for request, _ in asked]
        parameters = [
            _parameters(sampling, request_seed(sampling, request), sampling.max_tokens) for request, sampling in asked
        ]
        template = self._llm.get_tokenizer().get_chat_template()
        date = {name: value for name, value in self._engine.info.chat_template_arguments if name == "date_string"}

        def call() -> list[Any]:
            outputs: list[Any] = self._llm.chat(
                conversations,
                parameters,
                use_tqdm=False,
                chat_template=template,
                chat_template_content_format="string",
                chat_template_kwargs={**date, "enable_thinking": False, "thinking": False},
            )
            return outputs

        return call

    def _said(self) -> list[tuple[str, str]]:
        from evaluator.engines.prompt import prompt_digest

        return [
            (prompt_digest(each.prompt_token_ids), self._engine._renderer.text(each.outputs[0].token_ids))
            for each in self._outputs
        ]


def main() -> None:
    """Serves one engine until standard input ends."""
    host(_load, EngineProcess.ROLE)


def _load(spec: str) -> tuple[dict[str, Any], Answerer]:
    """Loads the engine."""
    from evaluator.engines.vllm import VllmEngine

    engine = VllmEngine(EngineSpec.model_validate_json(spec))
    bare, usual = _Bare(engine), answerer(engine)

    def answer(asked: dict[str, Any]) -> Answers:
        if "bench" in asked:
            return [{"bench": bare.answer(asked["bench"])}]
        if "generate" in asked:
            bare.note(asked["generate"])
        return usual(asked)

    return info_line(engine.info), answer


if __name__ == "__main__":
    main()
