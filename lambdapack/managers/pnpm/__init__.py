"""pnpm: pnpm-lock.yaml, pnpm-workspace.yaml, `pnpm install --frozen-lockfile`."""
