"""The composition root: builds a worker's services and the application, and runs Granian around them."""
