"""AWS by boto3. Nothing else in lambdapack knows it, and nothing here is imported before it is needed."""
