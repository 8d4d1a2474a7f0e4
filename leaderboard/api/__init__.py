"""What programs ask of the site: named endpoints that take and give typed values, through Gradio's API."""
