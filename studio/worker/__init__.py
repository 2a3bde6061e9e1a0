"""What runs inside a worker process: one engine, one main loop, one link to the studio."""
