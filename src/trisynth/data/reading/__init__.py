"""Files of users: unpacked, decoded, and without what stands around the table."""
