"""What a browser gets: the server-rendered board and the Gradio pages beside it."""
