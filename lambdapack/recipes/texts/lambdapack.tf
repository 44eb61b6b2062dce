# Written by `lambdapack init --terraform`; yours to change. For Terraform and OpenTofu.
# `plan` builds and judges the package; one that would not load on Lambda stops it. The zip is the same bytes for the
# same content, so an unchanged function has no changes to apply.
variable "role_arn" {
  description = "Execution role of the function"
  type        = string
}

data "external" "@{resource}" {
  program = [
    "lambdapack", "build", path.module,
    "--runtime", "@{runtime}",
    "--arch", "@{arch}",
    "--format", "terraform-external",
  ]
}

resource "aws_lambda_function" "@{resource}" {
  function_name    = "@{name}"
  role             = var.role_arn
  filename         = data.external.@{resource}.result.filename
  source_code_hash = data.external.@{resource}.result.source_code_hash
  handler          = data.external.@{resource}.result.handler
  runtime          = data.external.@{resource}.result.runtime
  architectures    = [data.external.@{resource}.result.architecture]
  memory_size      = 512
  timeout          = 30
}
