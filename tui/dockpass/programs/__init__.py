"""Any program with a login in a temporary docker config: its environment, its terminal, its end."""
