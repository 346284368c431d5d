"""What is known about the people in a picture."""
