#include "services/node/edil_objects.hpp"

namespace kith::node {

void EdilObjects::put(std::uint64_t tag, Bytes content, std::string name, edil::ObjectSink& sink) {
  const RequestId id = requests_.add(*this, kObjectTime, "storing a model");
  asked_[id] = {&sink, tag, true};
  if (!requests_.open(id)) return;
  r1fs::AddFile what;
  what.name = std::move(name);
  what.content = std::move(content);
  files_.add(id, std::move(what), sink_);
}

void EdilObjects::get(std::uint64_t tag, const Cid& cid, edil::ObjectSink& sink) {
  const RequestId id = requests_.add(*this, kObjectTime, "fetching a model");
  asked_[id] = {&sink, tag, false};
  if (!requests_.open(id)) return;
  r1fs::GetFile what;
  what.cid = cid;
  what.memory_max = kObjectBytesMax;
  files_.get(id, std::move(what), sink_);
}

void EdilObjects::forget(edil::ObjectSink& sink) {
  std::erase_if(asked_, [&](const auto& one) { return one.second.sink == &sink; });
}

void EdilObjects::on_done(Now now, RequestId request, Result<Answer> answer) {
  const auto at = asked_.find(request);
  if (at == asked_.end()) return;
  const Asked asked = at->second;
  asked_.erase(at);
  const auto* file = answer ? std::get_if<r1fs::FileAnswer>(&*answer) : nullptr;
  const Error error =
      answer ? fail(Errc::not_found, "another answer than a file's") : answer.error();
  if (asked.put)
    asked.sink->on_put(now, asked.tag,
                       file != nullptr ? Result<Cid>(file->file.cid) : Result<Cid>(error));
  else
    asked.sink->on_got(now, asked.tag,
                       file != nullptr ? Result<Bytes>(file->content) : Result<Bytes>(error));
}

}  // namespace kith::node
