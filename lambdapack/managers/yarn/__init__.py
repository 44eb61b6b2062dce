"""yarn: yarn.lock of yarn 1 (classic) and of yarn 2 and later (berry) with the node-modules linker."""
