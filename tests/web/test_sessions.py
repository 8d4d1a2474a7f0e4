"""What the site keeps of visitors in memory stays small, however many there were."""

from __future__ import annotations

from pathlib import Path

from redis import Redis
from starlette.routing import Mount

from leaderboard.settings import Settings
from leaderboard.web import create_app


def test_gradio_forgets_sessions_long_before_they_fill_the_memory(tmp_path: Path, redis_url: str) -> None:
    app = create_app(Settings(data=tmp_path, allow_local_user=True), Redis.from_url(redis_url))
    (gradio,) = [route.app for route in app.routes if isinstance(route, Mount) and hasattr(route.app, "state_holder")]
    for number in range(300):
        assert gradio.state_holder[f"session-{number}"] is not None
    assert len(gradio.state_holder.session_data) == 100
    assert "session-299" in gradio.state_holder
