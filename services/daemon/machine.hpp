// What this machine has: told to others by the beats of Proof-of-Availability.
#pragma once

#include "schema/kith/poa_messages.hpp"

namespace kith::daemon {

schema::Capacity machine_capacity();  // cores and memory; what cannot be read is 0

}  // namespace kith::daemon
