"""The GPU study: what it runs, and what it found."""
