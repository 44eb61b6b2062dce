"""Files for build tools that call lambdapack; `lambdapack init` writes them."""
