"""The page that explains the site: its method with worked examples, its limits, and how to use what it says."""
