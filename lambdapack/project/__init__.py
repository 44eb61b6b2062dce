"""package.json, lockfiles and .npmrc. The only place that reads them."""
