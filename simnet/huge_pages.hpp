// Huge pages for a whole program: most of what a large simulation waits for is memory, and half of
// that its page tables.
#pragma once

namespace kith::simnet {

// Starts this program anew with glibc told to ask for huge pages (it reads that only at the start);
// returns when that is done, not possible, or decided by the user's own GLIBC_TUNABLES.
void use_huge_pages(char** argv);

}  // namespace kith::simnet
