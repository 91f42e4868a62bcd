"""Many jobs: the sweep's folder, its workers, progress and search objectives."""
