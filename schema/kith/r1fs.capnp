@0xb3c1f0a54d2e7a11;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith::schema::wire");

# What R1FS says to other nodes and to its own store. One segment, no pointers to elsewhere; decoded under a traversal
# limit by schema/kith/r1fs_messages.hpp.

struct OfferedBlock {
  cid @0 :Data;
  size @1 :UInt32;
  body @2 :Data;       # of small blocks; else empty
}

# A gossip message on /kith/<network>/r1fs/chunks/1: "I, who signed this message, publish these blocks of that file."
struct Offer {
  root @0 :Data;       # CID of the whole file
  fileBytes @1 :UInt64;
  blocksTotal @2 :UInt32;   # of the whole file
  expires @3 :UInt64;  # Unix seconds
  blocks @4 :List(OfferedBlock);
}

# On the stream /kith/<network>/r1fs/1.0.0: a question, and its answer on the same stream.
struct HoldsQuestion {
  root @0 :Data;
}
struct HoldsAnswer {
  complete @0 :Bool;   # every block of the file is held durably
}

# Stored under the root's multihash.
struct FileRecord {
  version @0 :UInt16;
  root @1 :Data;
  name @2 :Text;
  bytes @3 :UInt64;
  blocks @4 :UInt32;
  added @5 :UInt64;    # Unix seconds
  own @6 :Bool;
  public @7 :Bool;
  offersDone @8 :UInt32;
  publisher @9 :Data;  # of a kept file; empty when it was fetched by a user of this node
}

# Stored under the block's multihash, beside its bytes.
struct BlockRecord {
  size @0 :UInt32;
  publicRefs @1 :UInt32;  # own public files that hold it
  localRefs @2 :UInt32;   # own local files
  keptFor @3 :Data;       # root's multihash when it is kept for others; else empty
  codec @4 :UInt32;
}
