"""Build, verify and deploy Node.js packages with native addons for AWS Lambda."""

__version__ = "0.1.0"
