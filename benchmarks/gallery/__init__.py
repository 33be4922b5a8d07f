"""The HTML page that shows episodes: `sources` reads folders, `page` makes the page, `server/` serves it."""
