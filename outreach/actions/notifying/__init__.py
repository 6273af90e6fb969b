"""Families are told what concerns them: once, in time, and without a word of any illness."""
