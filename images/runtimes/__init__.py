"""Makes the shipped tables of Lambda's runtimes out of one file of facts (`make runtimes`)."""
