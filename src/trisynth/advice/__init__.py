"""What to add to a table, if anything: generators compared by what their rows gain on real rows kept aside."""
