"""What people read: plain lines of text, and documents for programs, made from values; nothing is printed."""
