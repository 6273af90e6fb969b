"""Erases what was kept long enough, or what a citizen asks for; what is signed still verifies."""
