"""npm: package-lock.json, .npmrc, npm ci, and what its errors mean."""
