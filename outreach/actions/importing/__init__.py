"""Nomination lists from a spreadsheet: read, checked row by row, taken in when somebody says so."""
