"""HTTP in all its versions: what comes in requests is looked at, and sites answer."""
