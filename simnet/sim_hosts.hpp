// SimHosts: the connections of all SimHosts of a World, and the frames that move on them. It knows
// time, links and faults; what a frame means is SimHost's business.
//
// What a node says in one event leaves after it, as one segment of each connection: on an unlimited
// link it arrives together and costs one event. With a limited uplink one frame a connection is in
// the uplink at a time, so that connections take turns and urgent frames overtake bulk.
//
// A frame's content enters the trace by its digest, which is taken once for all copies of a buffer.
#pragma once

#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <vector>

#include "simnet/sim_link.hpp"
#include "simnet/sim_net.hpp"

namespace kith::simnet {

inline constexpr std::size_t kSharedListsMax = 64;

class SimHosts final : public EventHandler, private CutWatcher {
 public:
  explicit SimHosts(SimNet& net);
  SimNet& net() { return net_; }
  World& world() { return net_.world(); }

  // For SimHost.
  void attach(SimHost& host, NodeIndex node);
  void detach(NodeIndex node);
  // Starts the hops to whoever is at `to`; silence when nobody is.
  SimLinkRef dial(SimHost& from, NodeIndex node, const Multiaddr& to);
  SimLink::Side* find(SimLinkRef ref) {
    auto* link = links_.find(ref.link);
    return link == nullptr ? nullptr : &(*link)->sides[ref.side];
  }
  SimLink::Side& other(SimLinkRef ref) { return links_.at(ref.link)->sides[1 - ref.side]; }
  void push(SimLinkRef ref, Frame frame);                  // urgent
  void mark_dirty(SimLinkRef ref);                         // some stream has something to send
  void end_side(SimLinkRef ref, bool tell);                // the host is through with it
  void schedule_deadline(SimLinkRef ref, Duration after);  // of the handshake
  void schedule_local(NodeIndex node);                     // SimHost::on_local, at once
  FramePool& frames() { return frames_; }
  // The same bytes for everybody who asks: nodes repeat each other's names and lists.
  Bytes name(std::string_view id);
  host::ProtocolList protocols(host::ProtocolList list);

  void on_event(const Event& event) override;
  void on_event_end() override;
  void prefetch(const Event& event, unsigned stage) override;

 private:
  // The side is the lowest bit of an event's kind.
  enum Kind : std::uint16_t {
    kPump,
    kArrive,
    kDeliver,
    kRetry,
    kSilence,
    kDeadline,
    kLocal,
    kLost,    // given up after too many losses
    kUnheard  // acknowledgements should have come
  };
  static std::uint64_t own_kinds(std::initializer_list<Kind> kinds);
  void on_cut(std::optional<NodeIndex> node) override;
  void on_moved(NodeIndex node) override;
  static SimLinkRef ref_of(const Event& event);
  void watch_for_silence(SimLinkRef ref);
  void schedule(Mono at, NodeIndex node, Kind kind, SimLinkRef ref);
  static bool has_more(const SimLink::Side& side);
  void pump(SimLinkRef ref);
  void depart(SimLinkRef ref, SimLink::Side& side, std::optional<Duration>& latency,
              std::uint32_t index);
  void on_arrive(SimLinkRef ref);
  void retry(SimLinkRef ref);
  void enter_downlink(SimLinkRef ref, SimLink::Side& side, bool first);
  bool has_arrived(const SimLink::Side& side);
  std::uint64_t digest(const Bytes& data);
  void deliver(SimLinkRef ref);
  void on_silence(SimLinkRef ref);
  void on_unheard(SimLinkRef ref);
  bool passes(const SimLink::Side& side);
  bool answers(SimLinkRef ref, const SimLink::Side& side);
  // What is under way is lost, and nothing more will be tried.
  void give_up(SimLinkRef ref, SimLink::Side& side, const char* why);
  void erase_if_over(host::LinkSlot link);

  SimNet& net_;
  std::uint16_t handler_;
  Slots<host::LinkSlot, SimLink*> links_;
  SimLinkPool pool_;
  std::vector<SimHost*> hosts_;  // by node
  std::vector<SimLinkRef> dirty_;
  FramePool frames_;
  std::map<std::string, Bytes, std::less<>> names_;
  std::vector<host::ProtocolList> lists_;
  struct Digest {
    Bytes data;  // kept, so that nothing else can be where it is
    std::uint64_t value = 0;
  };
  std::array<Digest, 256> digests_;
};

}  // namespace kith::simnet
