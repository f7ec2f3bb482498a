#include "schema/base/result.hpp"

namespace kith {

std::string_view code_name(Errc code) {
  switch (code) {
    case Errc::malformed:
      return "KITH-MALFORMED";
    case Errc::oversized:
      return "KITH-OVERSIZED";
    case Errc::truncated:
      return "KITH-TRUNCATED";
    case Errc::unsupported:
      return "KITH-UNSUPPORTED";
    case Errc::refused:
      return "KITH-REFUSED";
    case Errc::identity:
      return "KITH-IDENTITY";
    case Errc::signature:
      return "KITH-SIGNATURE";
    case Errc::timeout:
      return "KITH-TIMEOUT";
    case Errc::cancelled:
      return "KITH-CANCELLED";
    case Errc::not_found:
      return "KITH-NOT-FOUND";
    case Errc::not_local:
      return "KITH-NOT-LOCAL";
    case Errc::closed:
      return "KITH-CLOSED";
    case Errc::connection:
      return "KITH-CONNECTION";
    case Errc::in_use:
      return "KITH-IN-USE";
    case Errc::disk_full:
      return "KITH-DISK-FULL";
    case Errc::io:
      return "KITH-IO";
    case Errc::corrupt:
      return "KITH-CORRUPT";
    case Errc::permission:
      return "KITH-PERMISSION";
    case Errc::configuration:
      return "KITH-CONFIGURATION";
    case Errc::usage:
      return "KITH-USAGE";
    case Errc::exhausted:
      return "KITH-EXHAUSTED";
    case Errc::none:
      return "KITH-NONE";
  }
  return "KITH-UNKNOWN";
}

std::string describe(const Error& error) {
  std::string text = "error[" + std::string(code_name(error.code)) + "]: " + error.what;
  if (!error.why.empty()) text += "\n  why: " + error.why;
  if (!error.fix.empty()) text += "\n  fix: " + error.fix;
  return text;
}

}  // namespace kith
