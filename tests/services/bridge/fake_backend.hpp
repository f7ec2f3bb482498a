// A Backend that remembers what it was asked and answers when the test says so.
#pragma once

#include <algorithm>

#include "services/bridge/backend.hpp"

namespace kith::bridge {

inline const char* const kPeerText = "12D3KooWEChVMMMzV8acJ53mJHrw1pQ27UAGkCxWXLJutbeUMvVu";
inline const char* const kCidText = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

class FakeBackend final : public Backend {
 public:
  struct Asked {
    node::Request request;
    Duration deadline{};
    node::RequestSink* sink = nullptr;  // null: dropped
  };

  Now now() const override { return time; }
  node::Status status() const override { return state; }
  std::vector<host::PeerStatus> peers() const override { return connected; }
  void start(node::Request request, Duration deadline, node::RequestSink& sink) override {
    asked.push_back({std::move(request), deadline, &sink});
    if (answer_at_once) sink.on_done(time, {}, node::Answer(node::Done{}));
  }
  void drop_sink(node::RequestSink& sink) override {
    for (Asked& each : asked)
      if (each.sink == &sink) each.sink = nullptr;
    ++drops;
  }
  void shut_down() override { ++shut_downs; }

  Now time;
  node::Status state;
  std::vector<host::PeerStatus> connected;
  std::vector<Asked> asked;
  bool answer_at_once = false;
  int drops = 0;
  int shut_downs = 0;
};

}  // namespace kith::bridge
