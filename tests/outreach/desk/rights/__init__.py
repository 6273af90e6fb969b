"""Who may open and do what: every operation × every role × own, neighbouring and other area."""
