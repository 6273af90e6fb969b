"""Argon2id at the OWASP minimum of memory, so that a whole office can sign in at eight o'clock."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane (about 25 ms)."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
