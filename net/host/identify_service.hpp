// IdentifyService: both identify protocols on the host's own streams (libp2p/specs identify; the
// machines are net/wire/identify.hpp). Right after a link is secured it asks the other side who it
// is; what comes goes to the driver, which makes the peer ready or drops the link.
//
// Rules
// * One identify stream and at most a few push streams a link (inbound_streams_per_peer_max below),
//   each with one reader; a stream that breaks its rules is reset.
// * Our own changes go out as a push to every ready peer that takes one, push_delay after the first
//   of them, so that a burst is one message.
// * The answer is made for each peer anew, as it says how we see that peer.
#pragma once

#include <map>
#include <vector>

#include "net/base/log.hpp"
#include "net/base/loop.hpp"
#include "net/host/link.hpp"
#include "net/wire/identify.hpp"

namespace kith::host {

// What identify needs of the host it is part of.
class IdentifyDriver {
 public:
  virtual StreamSlot open_on_link(LinkSlot link, ProtocolIndex protocol) = 0;
  virtual void send(StreamSlot stream, Bytes message, Priority priority, std::uint64_t tag) = 0;
  virtual void release(StreamSlot stream, std::size_t bytes) = 0;
  virtual void close(StreamSlot stream) = 0;
  virtual void reset(StreamSlot stream) = 0;
  virtual Link* link_of(StreamSlot stream) = 0;  // null: lost
  virtual const PeerId* proven_id(LinkSlot link) const = 0;
  virtual wire::IdentifySelf identify_self() const = 0;
  virtual std::vector<LinkSlot> push_targets() const = 0;  // a link to each peer that takes pushes
  virtual void on_identified(Now now, LinkSlot link, wire::IdentifyFacts facts) = 0;
  virtual void on_identify_failed(Now now, LinkSlot link, Error error) = 0;
  // False: pushes come too fast.
  virtual bool take_push(Now now, LinkSlot link) = 0;
  virtual void on_pushed(Now now, LinkSlot link, wire::IdentifyFacts facts) = 0;

 protected:
  ~IdentifyDriver() = default;
};

class IdentifyService final : public Alarm {
 public:
  IdentifyService(IdentifyDriver& driver, Loop& loop, wire::IdentifyMaker maker,
                  Duration push_delay);
  ~IdentifyService();
  IdentifyService(const IdentifyService&) = delete;
  IdentifyService& operator=(const IdentifyService&) = delete;

  // To be registered with the host as internal protocols.
  Protocol& asking() { return asking_; }
  Protocol& pushing() { return pushing_; }
  void set_indexes(ProtocolIndex ask, ProtocolIndex push);
  static ProtocolSpec ask_spec();
  static ProtocolSpec push_spec();

  void on_link_opened(LinkSlot link);
  // Addresses or protocols changed.
  void announce(Now now);
  void on_alarm(Now now) override;
  std::uint64_t record_sequence() const { return maker_.sequence(); }
  std::size_t readers() const { return asked_.size() + pushed_.size(); }

 private:
  // Ours ask and read, theirs are answered.
  class Asking final : public Protocol {
   public:
    explicit Asking(IdentifyService& service) : service_(service) {}
    void on_stream(Now, StreamSlot, PeerSlot, std::string_view) override;
    void on_data(Now, StreamSlot, Bytes) override;
    void on_end(Now, StreamSlot) override;
    void on_closed(Now, StreamSlot, const Error*) override;

   private:
    IdentifyService& service_;
  };
  // Theirs are read; ours are written and forgotten.
  class Pushing final : public Protocol {
   public:
    explicit Pushing(IdentifyService& service) : service_(service) {}
    void on_stream(Now, StreamSlot, PeerSlot, std::string_view) override;
    void on_data(Now, StreamSlot, Bytes) override;
    void on_end(Now, StreamSlot) override;
    void on_closed(Now, StreamSlot, const Error*) override;

   private:
    IdentifyService& service_;
  };
  struct Reading {
    LinkSlot link;
    wire::IdentifyReader reader;
  };
  using Readings = std::map<StreamSlot, Reading>;

  // False: the stream was reset.
  bool read(Readings& readings, StreamSlot stream, const Bytes& data);
  void finish_asked(Now now, StreamSlot stream);
  void send_self(Now now, StreamSlot stream);

  IdentifyDriver& driver_;
  Loop& loop_;
  wire::IdentifyMaker maker_;
  Duration push_delay_;
  ProtocolIndex ask_ = 0;
  ProtocolIndex push_ = 0;
  bool announcing_ = false;
  Readings asked_;
  Readings pushed_;
  Asking asking_{*this};
  Pushing pushing_{*this};
};

}  // namespace kith::host
