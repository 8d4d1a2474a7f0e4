"""Whatever a process logs, and whatever it dies of, reaches standard error redacted."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

CANARY = "canary-that-nobody-sees"


def logged(code: str, **environment: str) -> str:
    """Runs code in a process that has set up its logging; returns what it wrote."""
    script = (
        "import logging, sys\nfrom evaluator.logs import set_up_logging\n"
        "set_up_logging()\nset_up_logging(logging.DEBUG)\nlog = logging.getLogger('rapport.x')\n"
        + textwrap.dedent(code)
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={"JUDGE_KEY": CANARY, **environment}
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "code",
    [
        f"log.error('the key is {CANARY}')",
        f"log.error('the key is %s of %d', {CANARY!r}, 3)",
        f"log.error('mistaken %d', {CANARY!r})",
        f"log.error('%(key)s', {{'key': {CANARY!r}}})",
        f"log.error({{'key': {CANARY!r}}})",
        "log.error('%s%s', 'redis://:', 'another-canary@host')",
        f"logging.getLogger('httpx').info('GET http://hub/x?token={CANARY}')",
        f"import warnings; warnings.warn('{CANARY}')",
        f"log.info('%s', '{CANARY}', stack_info=True)",
    ],
)
def test_a_message_is_redacted_however_it_is_put_together(code: str) -> None:
    said = logged(code + "\nlog.info('still here')")

    assert "canary" not in said
    assert "still here" in said


def test_a_traceback_is_written_without_what_is_secret_in_it() -> None:
    said = logged(f"""
        try:
            try:
                raise ValueError('redis://:{CANARY}@10.1.2.3:6379/0')
            except ValueError as error:
                raise KeyError('{CANARY}') from error
        except KeyError:
            log.exception('it failed')
    """)

    assert "canary" not in said
    assert "10.1.2.3" not in said
    assert said.count("Traceback (most recent call last)") == 2
    assert "ValueError: redis://[redacted]@[address]:6379/0" in said


def test_what_a_process_dies_of_is_redacted_too() -> None:
    said = logged(f"raise RuntimeError('{CANARY} at /root/models/tiny/config.json')")

    assert "RuntimeError: [redacted] at …/config.json" in said


def test_the_server_of_the_pages_tells_nobodys_address() -> None:
    said = logged("""
        import asyncio, uvicorn, urllib.request, threading
        async def app(scope, receive, send):
            await send({'type': 'http.response.start', 'status': 200, 'headers': []})
            await send({'type': 'http.response.body', 'body': b'ok'})
        server = uvicorn.Server(uvicorn.Config(app, host='127.0.0.2', port=0, log_level='info', lifespan='off'))
        async def ask():
            running = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            url = f'http://127.0.0.2:{port}/api/x/y?token=canary-12345&page=2'
            request = urllib.request.Request(url, headers={'X-Forwarded-For': '203.0.113.9'})
            await asyncio.to_thread(lambda: urllib.request.urlopen(request).read())
            server.should_exit = True
            await running
        server.config.forwarded_allow_ips = '*'
        server.config.load()
        asyncio.run(ask())
    """)

    assert '"GET /api/x/y?token=[redacted]&page=2 HTTP/1.1" 200' in said
    assert "203.0.113.9" not in said
    assert "canary" not in said
