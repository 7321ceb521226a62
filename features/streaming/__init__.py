"""Validation of tables of any size: each is read once, in pieces; what must be seen together is put aside by key."""
