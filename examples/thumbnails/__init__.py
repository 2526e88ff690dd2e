"""Makes thumbnails of pictures: the good way, a plain way where that fails, and a human where both do."""
