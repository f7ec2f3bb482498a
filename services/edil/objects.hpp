// Objects: what EDIL needs of a store of files by content. The node gives it R1FS.
//
// Rules: one answer a call, later, in the loop. What was put is durable and, when told `spread`,
// offered to others. get asks others, too.
#pragma once

#include <cstdint>
#include <string>

#include "net/base/time.hpp"
#include "schema/base/bytes.hpp"
#include "schema/base/cid.hpp"

namespace kith::edil {

class ObjectSink {
 public:
  virtual void on_put(Now, std::uint64_t tag, Result<Cid>) = 0;
  virtual void on_got(Now, std::uint64_t tag, Result<Bytes>) = 0;

 protected:
  ~ObjectSink() = default;
};

class Objects {
 public:
  virtual ~Objects() = default;
  virtual void put(std::uint64_t tag, Bytes content, std::string name, ObjectSink& sink) = 0;
  virtual void get(std::uint64_t tag, const Cid& cid, ObjectSink& sink) = 0;
  virtual void forget(ObjectSink& sink) = 0;  // its outstanding answers are dropped
};

}  // namespace kith::edil
