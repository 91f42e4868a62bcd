"""Campaign of kills, damages, races, attacks and hostile files: nothing runs, nothing leaks, nothing is lost."""
