"""Facts of native files. Judges none of them; that is the task of rules/."""
