"""The courier side: RQ jobs that run shards under a lease, the reaper, and the publisher, sole writer of the store."""
