@0xc35ec74f11af11b1;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith::schema::wire");

# What CSTORE says to other nodes and keeps in its store. One segment; decoded under a traversal limit by
# schema/kith/cstore_messages.hpp.

struct KvOp {
  kind @0 :UInt8;      # 1 put, 2 delete, 3 counter
  key @1 :Data;
  value @2 :Data;      # of a put
  up @3 :UInt64;       # of a counter: all that this writer's incarnation ever added to it
  down @4 :UInt64;     # and took from it
}

# The signed part of a batch: the changes with number `sequence` of this writer's incarnation in a namespace.
struct KvBatch {
  space @0 :Data;
  writer @1 :Data;     # peer id
  started @2 :UInt64;  # the incarnation: Unix milliseconds when it was drawn,
  nonce @3 :UInt64;    # and a random number
  sequence @4 :UInt64; # from 1, without gaps
  stamp @5 :UInt64;    # hybrid clock: Unix milliseconds << 16 | counter
  ops @6 :List(KvOp);
}

# A gossip message on /kith/<network>/cstore/<namespace>/1.0.0, and what stands in the store.
struct KvSigned {
  body @0 :Data;       # KvBatch
  signature @1 :Data;  # in the domain kith/<network>/cstore/batch/1
}

struct KvMark {
  writer @0 :Data;
  started @1 :UInt64;
  nonce @2 :UInt64;
  highest @3 :UInt64;  # every batch up to this one is held
  digest @4 :Data;     # of the chain of their hashes
}

# On the stream /kith/<network>/cstore/1.0.0: what the asker has, and a page of what it lacks.
struct KvAsk {
  space @0 :Data;
  root @1 :Data;
  full @2 :Bool;       # false: only compare the roots
  marks @3 :List(KvMark);
  walk @4 :KvMark;     # with a writer: its batches from `highest` on, whatever the marks say
}
struct KvPage {
  same @0 :Bool;       # the roots are equal
  more @1 :Bool;       # ask again
  batches @2 :List(Data);  # KvSigned, as they were published
  forks @3 :List(KvMark);  # writers of whom the two hold as much, and not the same
}

# Stored per namespace.
struct KvSpaceRecord {
  version @0 :UInt16;
  started @1 :UInt64;  # this node's incarnation in it; both 0: it never wrote
  nonce @2 :UInt64;
}
