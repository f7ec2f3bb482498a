// TopicHub: lets any number of a user's requests listen to one topic, which Gossip gives to one
// handler.
#pragma once

#include <map>
#include <set>

#include "gossip/gossip.hpp"
#include "services/node/request_table.hpp"

namespace kith::node {

class TopicHub {
 public:
  TopicHub(gossip::Gossip& gossip, RequestTable& requests) : gossip_(gossip), requests_(requests) {}
  // Runs until leave(). Errors: in_use when a service of the node owns the topic.
  Result<void> join(RequestId request, const std::string& topic);
  void leave(RequestId request);

 private:
  struct Listener final : gossip::TopicHandler {
    Listener(TopicHub& owner, std::string name) : hub(owner), topic(std::move(name)) {}
    void on_message(Now, gossip::TopicIndex, const gossip::GossipMessage& message) override;
    TopicHub& hub;
    std::string topic;
    gossip::TopicIndex index;
    std::set<RequestId> requests;
  };
  gossip::Gossip& gossip_;
  RequestTable& requests_;
  std::map<std::string, std::unique_ptr<Listener>> topics_;
};

}  // namespace kith::node
