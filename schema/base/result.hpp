// Result<T>: a value or an Error. Peer input, files and the network yield a Result; CHECK
// (net/base/check.hpp) is for our own bugs. Errors have a stable code and tell a person what, why
// and the exact fix; where only a program reads them (a refused frame), `what` alone is enough.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace kith {

// Stable across versions; code_name gives the name that people see and search for.
enum class Errc : std::uint16_t {
  malformed,      // bytes or text that do not follow their format
  oversized,      // longer than the named maximum
  truncated,      // ends too early
  unsupported,    // well formed, and not something we speak
  refused,        // policy: a limit, a rate, a closed mode
  identity,       // another peer than dialled, or a key that does not fit its id
  signature,      // does not verify
  timeout,        // a total deadline passed
  cancelled,      // by the user, or the connection that it needed went away
  not_found,      // not held here, and not found where we asked
  not_local,      // not held here, and not asked of others
  closed,         // the other side, or we, ended it
  connection,     // the network said no (refused, unreachable, reset)
  in_use,         // a port, folder or name that somebody else holds
  disk_full,      // below the free-space floor, or ENOSPC
  io,             // any other failure of a file or disk
  corrupt,        // stored data does not match its checksum or hash
  permission,     // file modes too wide, or access denied
  configuration,  // a key or value that cannot be used
  usage,          // command line
  exhausted,      // a local quota, table or budget is full
  none,           // nothing went wrong: what error() of a success gives; never reported
};

// "KITH-MALFORMED" and so on: what logs, HTTP and the command line print.
std::string_view code_name(Errc code);

struct Error {
  Errc code = Errc::none;
  std::string what;  // one clause, no full stop
  std::string why;   // the evidence; may be empty
  std::string fix;   // the exact command or change; may be empty
};

// "error[KITH-IO]: what\n  why: ...\n  fix: ..."
std::string describe(const Error& error);

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& at) {
  std::fprintf(stderr, "%s:%u: value() of a failed Result: %s\n", at.file_name(),
               static_cast<unsigned>(at.line()), error.what.c_str());
  std::abort();
}

template <class T = void>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

inline Error fail(Errc code, std::string what, std::string why = {}, std::string fix = {}) {
  return Error{code, std::move(what), std::move(why), std::move(fix)};
}

}  // namespace kith

#define KITH_TRY_CAT_(a, b) a##b
#define KITH_TRY_NAME_(a, b) KITH_TRY_CAT_(a, b)
#define KITH_TRY_(name, declaration, expression) \
  auto name = (expression);                      \
  if (!name) return name.error();                \
  declaration = std::move(*name)
#define KITH_TRY_VOID_(name, expression) \
  if (auto name = (expression); !name) return name.error()
// KITH_TRY(auto key, decode_key(bytes)); returns the error from the enclosing function, or declares
// key.
#define KITH_TRY(declaration, expression) \
  KITH_TRY_(KITH_TRY_NAME_(kith_try_, __COUNTER__), declaration, expression)
// For Result<void>.
#define KITH_TRY_VOID(expression) KITH_TRY_VOID_(KITH_TRY_NAME_(kith_try_, __COUNTER__), expression)
