"""What may be deleted of a repository, and deleting it: rules, inventory, plan, and the work tag by tag."""
