//! The Pod worker: feeds events to `lifecycle` and carries its actions out. It decides nothing.
