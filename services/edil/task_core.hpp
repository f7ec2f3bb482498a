// TaskCore: one learning task that this node takes part in: its rounds from the first model to the
// last, as a pure state machine.
//
// A round
// * Contributors train from the head's model and publish what changed (update.hpp).
// * A node is ready when the task's minimum of updates is there, and all who are expected delivered
//   or the round's time is over. Expected are those who joined since the last close, were in it, or
//   delivered late for it; so who is gone is waited for once or twice.
// * The order of leaders is by SHA-256(task, round, contributor) over those whose update is held.
//   The leader in charge merges what it holds and publishes a close: members, their signatures, the
//   new model's CID. Each kViewTime after readiness the next one is in charge.
// * Whoever gets a close checks its signatures, fetches updates that it lacks from who sent it,
//   merges them itself, and takes the model only when the CID is the same. One whose model does not
//   follow is refused, and its leader not heard again in this task.
// * Closes form chains (chain.hpp); a heavier one is switched to, also rounds back. Who is behind
// or
//   on another fork asks for the chain by stream and takes the head's model from R1FS. Then it
//   trusts the CID: the members of every later round signed updates to it; for a last round it is
//   the leader's word until others' closes agree.
// * An answer holds the closes after the round that was asked from, each following the one before.
//   Whoever answers otherwise, or what is forged or cut, is not asked for kShunTime (recent.hpp).
//   An answer from the start always fits, so one that fits nowhere leads to one question more, and
//   what gossip brings to one in kUrgentEvery.
//
// Bounds: kContributorsMax joined, updates of kBasesMax bases, kModelsKept models, kChecksMax
// checks under way, kSeenMax closes and kLiarsMax liars remembered (the oldest give way), kEarlyMax
// early parts, accuracies of the chain's rounds only, one chain candidate of kIncomingBytesMax, one
// question under way, which ends after kAnswerTime.
//
// Attacker: contributors (anybody may join), whoever answers. Nothing is counted that its author
// did not sign; work is done for closes only after their signatures hold. A second signed update of
// one contributor for one round is refused and counted; which of the two counts is the close's
// word.
#pragma once

#include <map>
#include <set>

#include "services/edil/chain.hpp"
#include "services/edil/edil_effects.hpp"
#include "services/edil/recent.hpp"
#include "services/edil/update_table.hpp"

namespace kith::edil {

inline constexpr Duration kViewTime = 3s;
inline constexpr Duration kFirstGrace = 5s;       // of round 1: others are still joining
inline constexpr Duration kJoinEvery = 60s;       // join records are said again
inline constexpr Duration kSyncEvery = 10s;       // chains are compared with one listener
inline constexpr Duration kAnswerTime = 15s;      // of a question
inline constexpr Duration kRetryEvery = 4s;       // of what is missing for a candidate
inline constexpr std::uint32_t kUpdateTries = 4;  // then the model is taken from R1FS
inline constexpr std::uint32_t kModelTries = 12;  // of R1FS, then a candidate is given up
inline constexpr std::size_t kModelsKept = 3;
inline constexpr std::size_t kEarlyMax = 512;  // parts for the next round, kept until it begins
inline constexpr std::size_t kChecksMax = 1024;
inline constexpr std::size_t kSeenMax = 4096;
inline constexpr std::size_t kLiarsMax = schema::kContributorsMax;
inline constexpr Duration kUrgentEvery = 2s;  // questions because of what gossip brought
inline constexpr std::uint32_t kModelPutters =
    3;                                           // members of a close that put its model into R1FS
inline constexpr std::uint32_t kSyncBack = 4;    // rounds before the head asked for again
inline constexpr Duration kClockSkewMax = 120s;  // of others, ahead of ours
inline constexpr std::size_t kListenersMax = 32;
inline constexpr std::size_t kUpdatesAnswerBytes = 1u << 20;
inline constexpr std::size_t kClosesAnswerBytes = 512u << 10;
inline constexpr std::size_t kIncomingBytesMax = 16u << 20;  // of a chain that is taken over
inline constexpr std::uint32_t kPagesMax = 64;               // honest ones are full

struct TaskContext {
  const crypto::Identity& identity;
  std::string network_id;
  Family family = 0;
};

// Keys in the family of EDIL.
Bytes task_key(const TaskId& id);
Bytes close_key(const TaskId& id, std::uint32_t round);
Bytes model_key(const TaskId& id);

class TaskCore {
 public:
  // `number`: the upper half of the tags that it gives out.
  TaskCore(const TaskContext& context, std::uint32_t number, const TaskId& id,
           schema::EdilTask task, Counters& counters, Rng rng);

  // What the store held; before start().
  void restore(std::vector<Link> links, ByteView model_file);
  void start(Now now, Role role, std::uint32_t own_samples, Effects& out);
  void leave(Now now, Effects& out);

  gossip::Verdict on_message(Now now, gossip::JudgeSlot judge, const PeerId& from,
                             host::PeerSlot via, const Bytes& message, Effects& out);
  void on_verified(Now now, std::uint64_t tag, bool hold, Effects& out);
  void on_trained(Now now, const Cid& base, Trained result, Effects& out);
  void on_measured(const Cid& model, Accuracy accuracy);
  void on_merged(Now now, std::uint64_t tag, Merged merged, Effects& out);
  void on_persisted(Now now, std::uint64_t tag, bool kept, Effects& out);
  void on_got(Now now, std::uint64_t tag, Result<Bytes> file, Effects& out);
  void on_answer(Now now, std::uint64_t tag, Result<schema::EdilAnswer> answer, Effects& out);
  void on_tick(Now now, const std::vector<host::PeerSlot>& listeners, Effects& out);
  Mono next_deadline() const;

  schema::EdilAnswer answer(const schema::ChainQuestion& question) const;
  schema::EdilAnswer answer(const schema::UpdatesQuestion& question) const;

  Role role() const { return role_; }
  bool complete() const { return chain_.round() >= task_.rounds; }
  std::uint32_t round() const { return chain_.round(); }
  bool head_measured() const { return accuracies_.count(chain_.model()) != 0; }
  void fill(TaskInfo& info) const;
  std::vector<RoundInfo> rounds() const;
  RoundInfo round_info(std::uint32_t round) const;  // 1 to round()
  // Rounds whose model was measured since the last call; for who waits.
  std::vector<std::uint32_t> take_news() { return std::exchange(news_, {}); }

 private:
  struct Join {
    schema::EdilSigned record;
    std::uint64_t at_ms = 0;
    bool leaves = false;
    bool fresh = true;                  // since the last close
    std::uint32_t delivered_round = 0;  // last round of an update, late ones too
  };
  struct PartCheck {
    Cid base;
    PeerId contributor;
  };
  struct SecondCheck {
    schema::EdilPart part;
    gossip::JudgeSlot judge;
  };
  struct JoinsCheck {
    std::vector<std::pair<schema::EdilSigned, schema::EdilJoin>> joins;
    host::PeerSlot via;
    std::optional<gossip::JudgeSlot> judge;  // of one that came by gossip
  };
  struct LinksCheck {
    std::vector<Link> links;
    host::PeerSlot via;
    std::optional<gossip::JudgeSlot> judge;  // of one that came by gossip
  };
  struct Early {
    gossip::JudgeSlot judge;
    host::PeerSlot via;
    schema::EdilPart part;
  };
  using AfterCheck = std::variant<PartCheck, SecondCheck, JoinsCheck, LinksCheck>;
  struct Candidate {
    std::uint32_t after = 0;  // round after which its links stand
    std::vector<Link> links;
    host::PeerSlot via;
    std::uint32_t tries = 0;
    Mono retry_at{};
    std::uint64_t merging = 0;  // tag
    std::uint64_t getting = 0;  // tag
  };
  struct Leading {
    std::uint64_t merging = 0;     // tag
    std::uint64_t persisting = 0;  // tag
    std::uint32_t round = 0;
    std::uint32_t view = 0;
    std::vector<schema::EdilMember> members;
    Merged merged;
    std::vector<Link> link;
  };

  std::uint64_t new_tag() { return static_cast<std::uint64_t>(number_) << 32 | ++tags_; }
  bool check(std::vector<Check> checks, AfterCheck after, Effects& out);
  gossip::Verdict refuse(const Error& error);
  void blame(Now, host::PeerSlot peer);

  // task_messages.cpp
  gossip::Verdict on_part(Now, gossip::JudgeSlot, const PeerId& from, host::PeerSlot via,
                          const schema::EdilPart&, Effects&);
  gossip::Verdict judge_base(Now, gossip::JudgeSlot, host::PeerSlot via, const schema::EdilPart&,
                             Effects&);
  gossip::Verdict on_join(Now, gossip::JudgeSlot, const PeerId& from, const schema::EdilSigned&,
                          Effects&);
  gossip::Verdict on_close(Now, gossip::JudgeSlot, const PeerId& from, host::PeerSlot via,
                           const schema::EdilSigned&, Effects&);
  gossip::Verdict on_second(gossip::JudgeSlot, const schema::EdilPart&, Effects&);
  void after(Now, PartCheck&, bool hold, Effects&);
  void after(Now, SecondCheck&, bool hold, Effects&);
  void after(Now, JoinsCheck&, bool hold, Effects&);
  void after(Now, LinksCheck&, bool hold, Effects&);
  bool of_future(Now, const schema::EdilJoin& join);
  bool news_of(const schema::EdilJoin& join, const PeerId& signer) const;
  bool keep_early(gossip::JudgeSlot, host::PeerSlot via, const schema::EdilPart&);
  void take_early(Now, Effects&);
  void delivered(Now, const PeerId& contributor, std::uint32_t round);
  Result<Link> read_link(const schema::EdilSigned& record) const;
  void add_checks(const Link& link, std::vector<Check>& checks) const;

  // task_chain.cpp
  void consider(Now, std::vector<Link> links, host::PeerSlot via, bool by_gossip, Effects&);
  void pursue(Now, Effects&);
  void fetch_updates(Now, const Link& last, Effects&);
  void fetch_model(Now, Effects&);
  void adopt(Now, std::uint32_t after, std::vector<Link> links, SharedWeights weights, Bytes file,
             Effects&);
  void persist_chain(std::uint32_t after, std::uint32_t old_round, const Bytes& file, Effects&);
  bool puts_model(const Link& link) const;

  // task_sync.cpp
  void sync(Now, host::PeerSlot peer, std::uint32_t from, Effects&);
  void sync_urgently(Now, host::PeerSlot peer, std::uint32_t from, Effects&);
  void stop_asking(Effects&);
  void on_chain_answer(Now, schema::EdilAnswer&, Effects&);
  void on_updates_answer(Now, schema::EdilAnswer&);
  Result<Link> read_next(const schema::EdilSigned& record) const;
  void take_joins(Now, const std::vector<schema::EdilSigned>& records, Effects&);
  std::optional<host::PeerSlot> any_listener(Now);

  // task_core.cpp
  void advance(Now, Effects&);
  void train_if_due(Effects&);
  void publish_own(Now, Effects&);
  void lead_if_due(Now, Effects&);
  bool all_delivered() const;
  std::vector<PeerId> leader_order(std::uint32_t round) const;
  void say_join(Now, bool leaves, Effects&);
  void keep_model(const Cid& cid, SharedWeights weights);
  SharedWeights weights_of(const Cid& cid) const;
  Sha256Digest rank_of(std::uint32_t round, const PeerId& contributor) const;

  const TaskContext& context_;
  std::uint32_t number_;
  TaskId id_;
  schema::EdilTask task_;
  Counters& counters_;
  Rng rng_;
  Role role_ = Role::none;
  std::uint32_t own_samples_ = 0;

  Chain chain_;
  std::vector<std::pair<Cid, SharedWeights>> models_;  // newest last
  UpdateTable updates_;
  std::vector<Early> early_;
  std::map<PeerId, Join> joins_;
  std::map<Cid, Accuracy> accuracies_;   // of the chain's models
  Recent<PeerId, kLiarsMax> liars_;      // their closes did not hold
  Recent<Sha256Digest, kSeenMax> seen_;  // closes
  Shunned shunned_;
  std::map<std::uint64_t, AfterCheck> checks_;
  std::optional<Candidate> candidate_;
  std::optional<Leading> leading_;
  std::optional<Cid> training_;  // base
  std::vector<std::uint32_t> news_;
  std::uint64_t getting_first_ = 0;  // tag of the head's model, when it is missing

  std::uint64_t asking_ = 0;  // tag
  host::PeerSlot asked_;
  std::uint32_t asked_from_ = 0;  // round
  Mono urgent_at_{};              // not before
  bool asking_updates_ = false;
  Mono ask_ends_{};
  std::vector<Link> incoming_;  // pages of a chain, not checked yet
  std::vector<Check> incoming_checks_;
  std::size_t incoming_bytes_ = 0;
  std::uint32_t pages_ = 0;
  std::vector<host::PeerSlot> listeners_;

  Mono ticked_{};
  Mono round_started_{};
  std::optional<Mono> ready_at_;
  std::optional<std::uint32_t> led_view_;  // of the round under way
  Mono republish_at_ = kNever;
  Duration republish_in_{};
  Mono join_at_ = kNever;
  Mono sync_at_ = kNever;
  Mono get_at_ = kNever;  // the head's model again
  std::uint32_t tags_ = 0;
};

}  // namespace kith::edil
