"""Room of the readers that follow calls from script to script: what a function loads, what is exported, who calls."""
