"""The bridge as a local service: the HTTP API, access control, jobs. It decides nothing; operations do."""
