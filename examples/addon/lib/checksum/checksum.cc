// Adler-32 as in RFC 1950, exposed through Node-API.
#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

constexpr uint32_t kModulus = 65521;  // the largest prime below 65536

std::string Describe(napi_status status) {
  return "Node-API call failed with status " + std::to_string(static_cast<int>(status));
}

napi_value Adler32(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument;
  void* data = nullptr;
  size_t length = 0;
  napi_status status = napi_get_cb_info(env, info, &argc, &argument, nullptr, nullptr);
  if (status == napi_ok) status = napi_get_buffer_info(env, argument, &data, &length);
  if (status != napi_ok) {
    napi_throw_type_error(env, nullptr, Describe(status).c_str());
    return nullptr;
  }
  uint32_t a = 1;
  uint32_t b = 0;
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (size_t index = 0; index < length; index++) {
    a = (a + bytes[index]) % kModulus;
    b = (b + a) % kModulus;
  }
  napi_value result;
  napi_create_uint32(env, (b << 16) | a, &result);
  return result;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "adler32", NAPI_AUTO_LENGTH, Adler32, nullptr, &function);
  napi_set_named_property(env, exports, "adler32", function);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
