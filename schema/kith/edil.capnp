@0xd1a6b7305c2f4e98;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith::schema::wire");

# What EDIL says to other nodes and to its own store. One segment; decoded under a traversal limit by
# schema/kith/edil_messages.hpp.

# What somebody says and others pass on: the exact bytes of `body`, and who signed them. Which kind
# of body it is follows from where it stands, and is bound into the signature by its domain.
struct EdilSigned {
  signer @0 :Data;      # peer id
  body @1 :Data;
  signature @2 :Data;
}

# Body: a learning task. Its id is the SHA-256 of this body.
struct EdilTask {
  name @0 :Text;
  model @1 :UInt8;      # 0 softmax regression, 1 perceptron of one hidden layer
  inputs @2 :UInt32;
  hidden @3 :UInt32;
  outputs @4 :UInt32;
  firstModel @5 :Data;  # CID
  rounds @6 :UInt32;
  contributorsMin @7 :UInt32;
  strategy @8 :UInt8;   # 0 weighted mean (FedAvg)
  rateMillionths @9 :UInt32;
  epochs @10 :UInt32;   # of each contributor, a round
  batch @11 :UInt32;
  data @12 :UInt8;      # 0 digits, same for all; 1 digits, split by label; 2 each owner's files
  samples @13 :UInt32;  # of each contributor, when it draws its digits
  roundMs @14 :UInt32;  # how long a round waits for who is late
  created @15 :UInt64;  # Unix milliseconds
}

# Body: who takes part. The newest (by time) of a signer holds.
struct EdilJoin {
  task @0 :Data;
  at @1 :UInt64;        # Unix milliseconds
  leaves @2 :Bool;
}

struct EdilMember {
  contributor @0 :Data; # peer id
  samples @1 :UInt32;
  hash @2 :Data;        # SHA-256 of the update
  signature @3 :Data;   # of the contributor, on task, round, base, samples and hash
}

# Body: the end of a round: what was agreed on, and the model that follows from it.
struct EdilClose {
  task @0 :Data;
  round @1 :UInt32;     # from 1
  view @2 :UInt32;
  base @3 :Data;        # CID of the model that the updates are differences to
  model @4 :Data;       # CID of the new one
  members @5 :List(EdilMember);
}

# A piece of an update.
struct EdilPart {
  task @0 :Data;
  round @1 :UInt32;
  base @2 :Data;
  member @3 :EdilMember;
  count @4 :UInt16;
  index @5 :UInt16;
  bytes @6 :Data;
}

# A gossip message on a task's topic.
struct EdilMessage {
  union {
    part @0 :EdilPart;
    close @1 :EdilSigned;
    join @2 :EdilSigned;
  }
}

# On the stream: one question, one answer.
struct EdilQuestion {
  union {
    tasks @0 :Void;         # which tasks are known there?
    chain :group {          # what follows `fromRound` in the chain of that task?
      task @1 :Data;
      fromRound @2 :UInt32;
      weight @3 :UInt64;    # of the asker's chain: a lighter one is not told,
      model @4 :Data;       # nor one with the same head
      joins @5 :UInt32;     # how many the asker knows; told only when there are more
    }
    updates :group {        # whole updates to that base
      task @6 :Data;
      base @7 :Data;
      hashes @8 :List(Data);
    }
  }
}

struct EdilUpdate {
  round @0 :UInt32;
  base @1 :Data;
  member @2 :EdilMember;
  payload @3 :Data;
}

struct EdilAnswer {
  weight @0 :UInt64;
  round @1 :UInt32;         # of the head there
  records @2 :List(EdilSigned);  # tasks, or closes in the order of rounds
  joins @3 :List(EdilSigned);
  updates @4 :List(EdilUpdate);
}
