"""Every way in which a command cannot go on, one record each. A finding about a package is never one of them."""
