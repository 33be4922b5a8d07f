"""Recording of datasets: record.py is the entry, session.py runs the workers, queue.py decides what they do."""
