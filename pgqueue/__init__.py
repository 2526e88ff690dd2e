"""pgqueue: a transactional job queue that lives in the PostgreSQL you already run."""
