"""What the bridge remembers: photos, vectors, models, decisions, jobs, journal."""
