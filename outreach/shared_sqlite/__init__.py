"""A database engine of Django: SQLite whose connections the threads of a server share."""
