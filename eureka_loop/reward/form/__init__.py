"""What a program may be made of: its parts, syntax and names."""
