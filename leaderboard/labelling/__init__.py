"""Labels that people give on this site: what they are asked, who is asked what, and how it is kept."""
