"""Plan of a search before its first fit: settings, candidates, effort, and what table and budget must allow."""
