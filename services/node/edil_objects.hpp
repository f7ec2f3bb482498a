// EdilObjects: models of learning tasks as files of R1FS. It connects the two services, which do
// not know each other.
#pragma once

#include <map>

#include "services/edil/objects.hpp"
#include "services/node/request_table.hpp"

namespace kith::node {

inline constexpr Duration kObjectTime = 30s;  // of one put or get; who asks tries again
inline constexpr std::size_t kObjectBytesMax = 1u << 20;

class EdilObjects final : public edil::Objects, private RequestSink {
 public:
  // `files` tells `sink`, which tells `requests`, which tells this.
  EdilObjects(RequestTable& requests, r1fs::R1fs& files, r1fs::FileSink& sink)
      : requests_(requests), files_(files), sink_(sink) {}

  void put(std::uint64_t tag, Bytes content, std::string name, edil::ObjectSink& sink) override;
  void get(std::uint64_t tag, const Cid& cid, edil::ObjectSink& sink) override;
  void forget(edil::ObjectSink& sink) override;

 private:
  struct Asked {
    edil::ObjectSink* sink = nullptr;
    std::uint64_t tag = 0;
    bool put = false;
  };
  void on_done(Now now, RequestId request, Result<Answer> answer) override;

  RequestTable& requests_;
  r1fs::R1fs& files_;
  r1fs::FileSink& sink_;
  std::map<RequestId, Asked> asked_;
};

}  // namespace kith::node
