// Attachment: the DHT's core on a Host, a Store and a Loop; the front that services see as Routing.
// It registers the protocol, feeds the core and carries out its effects, and decides nothing.
//
// Rules: a command to Routing is taken up in a task of its own, so a sink is never called from
// inside a call. A sink outlives its requests or cancels them. start() after every Protocol is
// registered and before the first event; what the store holds is read first, and commands that come
// earlier wait for it. Without a store nothing survives a restart (simulations).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "dht/dht.hpp"
#include "dht/reply.hpp"
#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/base/store.hpp"

namespace kith::dht {

inline constexpr std::string_view kStoreFamily = "dht";

struct AttachmentConfig {
  std::vector<std::string> protocols;  // "/kith/<network id>/kad/1.0.0" first
  DhtConfig dht;
};

class Attachment final : public Routing,
                         private host::Protocol,
                         private StoreSink,
                         private Alarm,
                         private AddrSource {
 public:
  Attachment(AttachmentConfig config, host::Host& host, Loop& loop, Store* store, Log& log, Rng rng,
             std::shared_ptr<PeerBook> book = nullptr);
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  Validators& validators() { return core_.validators(); }  // add to it before start()
  void start();

  void find_peer(RequestId request, const PeerId& id, RoutingSink& sink) override;
  void find_closest(RequestId request, Bytes key, RoutingSink& sink) override;
  void provide(RequestId request, const Multihash& key, RoutingSink& sink) override;
  void unprovide(const Multihash& key) override;
  void find_providers(RequestId request, const Multihash& key, std::uint32_t enough,
                      RoutingSink& sink) override;
  void put_value(RequestId request, Bytes key, Bytes value, RoutingSink& sink) override;
  void get_value(RequestId request, Bytes key, RoutingSink& sink) override;
  void cancel(RequestId request) override;
  void set_mode(Mode mode) override;
  Mode mode() const override { return core_.mode(); }
  std::size_t table_size() const override { return core_.table().size(); }
  std::vector<PeerId> table_peers() const override;
  const Dht& core() const { return core_; }

 private:
  void on_peer_ready(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_changed(Now, host::PeerSlot, const host::PeerFacts&) override;
  void on_peer_gone(Now, host::PeerSlot) override;
  void on_connected(Now, RequestId, Result<host::PeerSlot>) override;
  void on_stream(Now, host::StreamSlot, host::PeerSlot, std::string_view) override;
  void on_opened(Now, host::StreamSlot, std::string_view) override;
  void on_message(Now, host::StreamSlot, Bytes) override;
  void on_end(Now, host::StreamSlot) override;
  void on_closed(Now, host::StreamSlot, const Error*) override;
  void on_send_refused(Now, host::StreamSlot, std::uint64_t) override;
  void on_persisted(Now, std::uint64_t, Result<void>) override;
  void on_read(Now, std::uint64_t, Result<std::optional<Bytes>>) override {}
  void on_scanned(Now, std::uint64_t, Result<std::vector<StoreEntry>>, bool more) override;
  void on_alarm(Now) override;
  std::vector<Multiaddr> addrs_of(const PeerId& id) const override;

  // Runs `command(Now, Effects&)` on the core in a turn of its own, once the store is read.
  using Command = std::function<void(Now, Effects&)>;
  void later_run(Command command);
  void run(const Command& command);
  void begin_request(RequestId request, RoutingSink& sink, Command command);
  void scan(Bytes from);
  void on_store_read(Now now);
  bool serves(const host::PeerFacts& facts) const;

  // Carries out effects_ in order, then sets the alarm.
  void carry_out(Now now);
  void carry_out(Now, Connect&);
  void carry_out(Now, OpenStream&);
  void carry_out(Now, SendMessage&);
  void carry_out(Now, CloseStream&);
  void carry_out(Now, ResetStream&);
  void carry_out(Now, Reply&);
  void carry_out(Now, LearnAddrs&);
  void carry_out(Now, KeepAddrs&);
  void carry_out(Now, Persist&);
  void carry_out(Now, PersistNeighbour&);
  void carry_out(Now, SetServing&);
  void carry_out(Now, Progress&);
  void carry_out(Now, Done&);
  void commit();

  AttachmentConfig config_;
  host::Host& host_;
  Loop& loop_;
  Store* store_;
  Family family_ = 0;
  Log& log_;
  Dht core_;
  host::ProtocolIndex protocol_ = 0;
  bool ready_ = false;  // the store is read
  std::vector<Command> waiting_;
  std::map<RequestId, RoutingSink*> sinks_;
  Effects effects_;
  StoreBatch batch_;
  bool store_failed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for tasks that outlive us
};

}  // namespace kith::dht
