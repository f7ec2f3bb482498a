#include "services/node/topic_hub.hpp"

namespace kith::node {

Result<void> TopicHub::join(RequestId request, const std::string& topic) {
  auto at = topics_.find(topic);
  if (at == topics_.end()) {
    auto listener = std::make_unique<Listener>(*this, topic);
    KITH_TRY(listener->index, gossip_.subscribe(topic, *listener, true));
    at = topics_.emplace(topic, std::move(listener)).first;
  }
  at->second->requests.insert(request);
  return {};
}

void TopicHub::leave(RequestId request) {
  for (auto at = topics_.begin(); at != topics_.end();) {
    at->second->requests.erase(request);
    if (at->second->requests.empty()) {
      gossip_.unsubscribe(at->second->index);
      at = topics_.erase(at);
    } else {
      ++at;
    }
  }
}

void TopicHub::Listener::on_message(Now, gossip::TopicIndex, const gossip::GossipMessage& message) {
  const TopicMessage told{message.from, message.id, topic, message.data};
  const std::set<RequestId> listeners = requests;  // a sink may cancel while it is told
  for (const RequestId request : listeners) hub.requests_.progress(request, told);
}

}  // namespace kith::node
