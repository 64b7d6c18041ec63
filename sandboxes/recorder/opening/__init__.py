"""Opens what was encrypted, with keys that stood in the transcript, in files or on the wire.

`tokens` cuts texts into what may be a key, `words` orders it, `keys` makes keys of it. A **lock** (`locks`) is one way
to encrypt: `openssl`, `raw`, `keystreams`, `pgp`, `zips`, `sevenzip`. `search` finds the lock and the key for the start
of a payload, `unlock` goes through what was kept in the episode.
"""
