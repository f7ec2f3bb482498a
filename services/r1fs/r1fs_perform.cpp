// The effects of R1fsCore, each on the interface that it is for.
#include "services/r1fs/r1fs_attachment.hpp"

namespace kith::r1fs {
namespace {
constexpr std::uint64_t kLookups = 1ull << 62;  // request ids of ours at the routing's front
}

void Attachment::perform(Effect& effect) {
  std::visit([this](auto& one) { perform(one); }, effect);
}

template <class T>
void Attachment::on_pool(PoolClass kind, std::function<T()> work, std::function<void(T)> done) {
  auto result = std::make_shared<std::optional<T>>();
  loop_.offload(
      kind, [result, work = std::move(work)] { result->emplace(work()); },
      [this, alive = effects_.alive(), result, done = std::move(done)] {
        if (!*alive) return;
        done(std::move(**result));
        effects_.carry_out();
      });
}

void Attachment::perform(OpenInput& effect) {
  using Opened = Result<std::shared_ptr<InputFile>>;
  on_pool<Opened>(
      PoolClass::hashing,
      [path = effect.path, content = effect.content] {
        return content ? Opened(InputFile::of_memory(*content)) : InputFile::open(path);
      },
      [this, request = effect.request](Opened file) {
        Result<std::uint64_t> bytes =
            file ? Result<std::uint64_t>((*file)->bytes()) : Result<std::uint64_t>(file.error());
        if (file) inputs_[request] = std::move(*file);
        core_.on_input_opened(loop_.now(), request, std::move(bytes), effects_.out());
        // Cancelled while it was opened: nobody will close it.
        if (sinks_.count(request) == 0) inputs_.erase(request);
      });
}

void Attachment::perform(ReadInput& effect) {
  const auto file = inputs_.find(effect.request);
  if (file == inputs_.end()) return;
  on_pool<Result<HashedChunk>>(
      PoolClass::hashing,
      [input = file->second, index = effect.index] { return input->read(index); },
      [this, request = effect.request, index = effect.index](Result<HashedChunk> chunk) {
        core_.on_input_chunk(loop_.now(), request, index, std::move(chunk), effects_.out());
      });
}

void Attachment::perform(CloseInput& effect) {
  const auto file = inputs_.find(effect.request);
  if (file == inputs_.end()) return;
  const std::shared_ptr<InputFile> input = std::move(file->second);
  inputs_.erase(file);
  if (!effect.check_unchanged) return;
  on_pool<Result<void>>(
      PoolClass::hashing, [input] { return input->check_unchanged(); },
      [this, request = effect.request](Result<void> unchanged) {
        core_.on_input_closed(loop_.now(), request, std::move(unchanged), effects_.out());
      });
}

void Attachment::perform(OpenOutput& effect) {
  using Opened = Result<std::shared_ptr<OutputFile>>;
  on_pool<Opened>(
      PoolClass::storage,
      [path = effect.path, overwrite = effect.overwrite, memory_max = effect.memory_max] {
        return memory_max > 0 ? Opened(OutputFile::in_memory(memory_max))
                              : OutputFile::open(path, overwrite);
      },
      [this, request = effect.request](Opened file) {
        if (file) outputs_[request] = *file;
        core_.on_output_opened(loop_.now(), request,
                               file ? Result<void>() : Result<void>(file.error()), effects_.out());
        // Cancelled while it was opened: nobody will close it.
        if (sinks_.count(request) == 0) outputs_.erase(request);
      });
}

void Attachment::perform(WriteOutput& effect) {
  const auto file = outputs_.find(effect.request);
  if (file == outputs_.end()) return;
  const std::size_t bytes = effect.data.size();
  on_pool<Result<void>>(
      PoolClass::storage,
      [output = file->second, offset = effect.offset, data = std::move(effect.data)] {
        return output->write(offset, data);
      },
      [this, request = effect.request, bytes](Result<void> result) {
        core_.on_output_written(loop_.now(), request, bytes, std::move(result), effects_.out());
      });
}

void Attachment::perform(FinishOutput& effect) {
  const auto file = outputs_.find(effect.request);
  if (file == outputs_.end()) return;
  const std::shared_ptr<OutputFile> output = std::move(file->second);
  outputs_.erase(file);
  on_pool<Result<void>>(
      PoolClass::storage, [output, bytes = effect.bytes] { return output->finish(bytes); },
      [this, output, request = effect.request](Result<void> result) {
        if (output->in_memory()) contents_[request] = output->take_content();
        core_.on_output_finished(loop_.now(), request, std::move(result), effects_.out());
      });
}

void Attachment::perform(AbortOutput& effect) { outputs_.erase(effect.request); }

void Attachment::perform(Commit& effect) {
  store_.commit(std::move(effect.batch), effect.durability, *this, effect.tag);
}
void Attachment::perform(ReadStored& effect) {
  store_.get(store_.family("r1fs_blocks"), effect.hash.bytes(), *this, effect.tag);
}
void Attachment::perform(ScanStored& effect) {
  StoreScan scan;
  scan.family = effect.family;
  scan.from = std::move(effect.from);
  scan.entries_max = 10'000;
  store_.scan(std::move(scan), *this, effect.family);
}

void Attachment::perform(StartFetch& effect) {
  const SessionSlot session = exchange_.open(*this, effect.priority);
  sessions_[effect.fetch] = session;
  fetches_[session] = effect.fetch;
}
void Attachment::perform(FetchFrom& effect) {
  if (const auto at = sessions_.find(effect.fetch); at != sessions_.end())
    exchange_.add_peer(at->second, effect.peer);
}
void Attachment::perform(FetchFromEveryone& effect) {
  if (const auto at = sessions_.find(effect.fetch); at != sessions_.end())
    exchange_.ask_everyone(at->second);
}
void Attachment::perform(WantBlock& effect) {
  if (const auto at = sessions_.find(effect.fetch); at != sessions_.end())
    exchange_.want(at->second, effect.cid, effect.bytes);
}
void Attachment::perform(EndFetch& effect) {
  const auto at = sessions_.find(effect.fetch);
  if (at == sessions_.end()) return;
  exchange_.close(at->second);
  fetches_.erase(at->second);
  sessions_.erase(at);
}

void Attachment::perform(FindProviders& effect) {
  const RequestId lookup{kLookups | ++numbers_};
  lookups_[lookup] = effect.request;
  routing_.find_providers(lookup, effect.hash, kProvidersMax, *this);
}
void Attachment::perform(ConnectProvider& effect) {
  if (effect.peer.id == host_.self()) return;
  const RequestId connection{++numbers_};
  connections_[connection] = effect.request;
  host_.connect(protocol_, connection, effect.peer.id, effect.peer.addrs);
}
void Attachment::perform(StopLooking& effect) {
  for (auto at = lookups_.begin(); at != lookups_.end();) {
    if (at->second == effect.request) {
      routing_.cancel(at->first);
      at = lookups_.erase(at);
    } else {
      ++at;
    }
  }
  std::erase_if(connections_, [&](const auto& one) { return one.second == effect.request; });
}

void Attachment::perform(PublishOffer& effect) {
  if (auto sent = gossip_.publish(topic_name_, std::move(effect.message)); !sent)
    log_.debug("r1fs.offer-not-sent", sent.error().what);
}
void Attachment::perform(SettleOffer& effect) { gossip_.settle(effect.judge, effect.verdict); }
void Attachment::perform(ProvideRoot& effect) {
  routing_.provide(RequestId{kLookups | ++numbers_}, effect.root, *this);
}
void Attachment::perform(UnprovideRoot& effect) { routing_.unprovide(effect.root); }

void Attachment::perform(AskHolds& effect) {
  const host::PeerFacts* facts = host_.facts(effect.peer);
  if (facts == nullptr) return;
  const host::StreamSlot stream =
      host_.open(effect.peer, protocol_, schema::encode_holds_question(effect.root));
  questions_[stream] = {facts->id, effect.root};
  host_.close(stream);
}
void Attachment::perform(AnnounceHeld& effect) { exchange_.announce_held(effect.cid); }

void Attachment::perform(TellProgress& effect) {
  if (const auto sink = sinks_.find(effect.request); sink != sinks_.end())
    sink->second->on_file_progress(loop_.now(), effect.request, effect.progress);
}
void Attachment::perform(TellDone& effect) {
  const auto at = sinks_.find(effect.request);
  const auto content = contents_.extract(effect.request);
  if (at == sinks_.end()) return;
  FileSink* sink = at->second;
  sinks_.erase(at);
  if (content && effect.answer) effect.answer->content = content.mapped();
  sink->on_file_done(loop_.now(), effect.request, std::move(effect.answer));
}
void Attachment::perform(TellReady& effect) {
  if (effect.result) {
    auto topic = gossip_.subscribe(topic_name_, *this);
    if (topic) topic_ = *topic;
  }
  if (ready_) std::exchange(ready_, nullptr)(std::move(effect.result));
}

}  // namespace kith::r1fs
