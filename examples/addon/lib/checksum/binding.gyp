{
  "targets": [
    {
      "target_name": "checksum",
      "sources": ["checksum.cc"],
      "defines": ["NAPI_VERSION=8"]
    }
  ]
}
