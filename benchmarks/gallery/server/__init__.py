"""Serves the page on 127.0.0.1: `http_server` answers requests, `routes` finds episodes, `videos` makes videos."""
