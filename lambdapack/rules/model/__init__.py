"""What a check reads and returns: the case, the policy, the report."""
