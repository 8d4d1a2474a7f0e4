"""What models and people are asked at each human-grounded stage, and how their answers are read: data in, data out."""
