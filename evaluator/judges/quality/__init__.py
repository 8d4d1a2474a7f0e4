"""What a judge is worth: its agreement with people and other judges, its leanings, and what a verdict of it costs."""
