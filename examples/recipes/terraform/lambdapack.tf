# Written by `lambdapack init --terraform`; yours to change. For Terraform and OpenTofu.
# `plan` builds and judges the package; one that would not load on Lambda stops it. The zip is the same bytes for the
# same content, so an unchanged function has no changes to apply.
variable "role_arn" {
  description = "Execution role of the function"
  type        = string
}

data "external" "thumbnail" {
  program = [
    "lambdapack", "build", path.module,
    "--runtime", "nodejs22.x",
    "--arch", "arm64",
    "--format", "terraform-external",
  ]
}

resource "aws_lambda_function" "thumbnail" {
  function_name    = "thumbnail"
  role             = var.role_arn
  filename         = data.external.thumbnail.result.filename
  source_code_hash = data.external.thumbnail.result.source_code_hash
  handler          = data.external.thumbnail.result.handler
  runtime          = data.external.thumbnail.result.runtime
  architectures    = [data.external.thumbnail.result.architecture]
  memory_size      = 512
  timeout          = 30
}
