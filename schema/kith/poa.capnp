@0xd0a7b1c95e3f4821;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith::schema::wire");

# What Proof-of-Availability says to other nodes and to its own store. One segment; decoded under a traversal limit by
# schema/kith/poa_messages.hpp.


# A gossip message on /kith/<network>/poa/beat/1.0.0: "I, who signed this message, am here." At most 200 bytes.
struct PoaBeat {
  epoch @0 :UInt64;      # of `time`, from the network's epoch length
  sequence @1 :UInt64;   # of this publisher, only ever grows
  time @2 :UInt64;       # of the publisher's wall clock, Unix milliseconds
  cores @3 :UInt16;
  flags @4 :UInt16;
  memoryMib @5 :UInt32;
  diskFreeMib @6 :UInt64;
}

# On the stream /kith/<network>/poa/1.0.0: a question for a page of the other's table, and its answer.
struct PoaTableQuestion {
  after @0 :Data;        # peer id; empty: from the start
}
struct PoaTableAnswer {
  statement @0 :Data;    # a Statement, in the bytes that were signed
  signature @1 :Data;
}

# What its owner observed. It proves what the owner says, and nothing of the peers in it.
struct PoaStatement {
  owner @0 :Data;
  time @1 :UInt64;            # Unix milliseconds
  epochSeconds @2 :UInt32;
  firstEpoch @3 :UInt64;
  upSlots @4 :List(UInt32);   # of the owner itself, an epoch each from firstEpoch
  entries @5 :List(PoaStatementEntry);
  more @6 :Bool;              # ask again, after the last entry
}
struct PoaStatementEntry {
  peer @0 :Data;
  values @1 :Data;            # a byte for each of upSlots
}

# Stored. `version` comes first in each of them.
struct PoaPeerRecord {
  version @0 :UInt16;
  sequence @1 :UInt64;   # the highest that was seen
  heardSlot @2 :UInt64;  # of the last beat that counted
  cores @3 :UInt16;
  flags @4 :UInt16;
  memoryMib @5 :UInt32;
  diskFreeMib @6 :UInt64;
}
# Of one peer, or of the node itself, in one epoch. While `slots` is kept it is the truth, and `parts` follow from it.
struct PoaEpochRecord {
  version @0 :UInt16;
  slotsTotal @1 :UInt32;
  slots @2 :Data;        # bitmap, packed by schema/kith/bit_runs.hpp; empty once the epoch is closed
  seen @3 :UInt32;
  parts @4 :Data;        # shares in a hundred
}
