"""What a program computes, followed without running it: where the batch axis goes, and what is returned."""
