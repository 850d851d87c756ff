"""Which credentials does this registry command use, why, and what would change it?"""

__version__ = "0.1.0"
