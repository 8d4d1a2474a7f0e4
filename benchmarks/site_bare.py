"""A page with one Markdown in the same Gradio, served the same way: what every page of the site is measured against."""

from __future__ import annotations

import argparse

from fastapi import FastAPI

from leaderboard.web import serve

TEXT = "Which assistant knows its user?"


def main() -> None:
    """Serves the bare page until told to stop."""
    import gradio as gr

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    with gr.Blocks(title="Bare") as bare:
        gr.Markdown(TEXT, elem_id="bare")
    app = gr.mount_gradio_app(FastAPI(), bare, path="/", run_history=False, enable_monitoring=False, mcp_server=False)
    serve(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
