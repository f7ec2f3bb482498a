// Chunks: cells by a dense index, in pieces of equal size. A cell stays where it is while it is
// used; a piece exists while one of its cells is used. So a table that was large for a minute
// keeps the pieces that are in use, and what one table gives back fits the next: with thousands of
// nodes in a process, tables that grow by moving leave holes that nothing fits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace kith {

inline constexpr std::size_t kPieceBytes = 1024;

// `Cell` is default-constructible. If it has a `generation`, that begins in the cells of a new
// piece where those that were there before have ended. A table that is empty most of the time, and
// has one cell in use for a moment, wants small pieces.
template <class Cell, std::size_t piece_bytes = kPieceBytes>
class Chunks {
 public:
  static constexpr std::uint32_t kPiece = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(std::bit_floor(piece_bytes / sizeof(Cell)), 1, 32));

  // Null: not used.
  Cell* find(std::uint32_t index) {
    const std::size_t at = index / kPiece;
    if (at >= pieces_.size() || (pieces_[at].used >> index % kPiece & 1) == 0) return nullptr;
    return &pieces_[at].cells[index % kPiece];
  }
  // Of a used cell.
  Cell& at(std::uint32_t index) { return pieces_[index / kPiece].cells[index % kPiece]; }
  const Cell& at(std::uint32_t index) const { return const_cast<Chunks*>(this)->at(index); }
  // The cell, used from now on.
  Cell& use(std::uint32_t index) {
    const std::size_t at = index / kPiece;
    for (std::size_t next = pieces_.size(); next <= at; ++next) {
      pieces_.emplace_back();
      room_.resize(next / 64 + 1);
      note_room(next);
    }
    Piece& piece = pieces_[at];
    if (piece.cells == nullptr) {
      piece.cells = std::make_unique<Cell[]>(kPiece);
      if constexpr (kGenerations)
        for (std::uint32_t i = 0; i < kPiece; ++i)
          piece.cells[i].generation = piece.first_generation;
    }
    piece.used |= 1u << index % kPiece;
    note_room(at);
    return piece.cells[index % kPiece];
  }
  // `index` is used. Its value is the caller's to clear; with the last of a piece the cells go.
  void leave(std::uint32_t index) {
    const std::size_t at = index / kPiece;
    Piece& piece = pieces_[at];
    piece.used &= ~(1u << index % kPiece);
    note_room(at);
    if (piece.used != 0) return;
    if constexpr (kGenerations)
      for (std::uint32_t i = 0; i < kPiece; ++i)
        if (static_cast<std::int32_t>(piece.cells[i].generation - piece.first_generation) > 0)
          piece.first_generation = piece.cells[i].generation;  // they may wrap
    piece.cells.reset();
  }
  std::uint32_t lowest_free() const {
    for (std::size_t word = 0; word < room_.size(); ++word) {
      if (room_[word] == 0) continue;
      const auto at = static_cast<std::uint32_t>(word * 64) +
                      static_cast<std::uint32_t>(std::countr_zero(room_[word]));
      return at * kPiece + static_cast<std::uint32_t>(std::countr_one(pieces_[at].used));
    }
    return static_cast<std::uint32_t>(pieces_.size()) * kPiece;
  }
  std::size_t cells() const {  // in use or kept beside one that is
    return kPiece *
           static_cast<std::size_t>(std::count_if(
               pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.used != 0; }));
  }
  void prefetch(std::uint32_t index) const {
    const std::size_t at = index / kPiece;
    if (at >= pieces_.size() || pieces_[at].cells == nullptr) return;
    const auto* from = reinterpret_cast<const char*>(&pieces_[at].cells[index % kPiece]);
    for (std::size_t line = 0; line < sizeof(Cell); line += 64) __builtin_prefetch(from + line);
  }
  // In index order; `each(index, cell)` may use and leave cells.
  template <class Each>
  void for_each(Each&& each) {
    for (std::size_t at = 0; at < pieces_.size(); ++at)
      for (std::uint32_t i = 0; i < kPiece && pieces_[at].used >> i != 0; ++i)
        if (pieces_[at].used >> i & 1)
          each(static_cast<std::uint32_t>(at) * kPiece + i, pieces_[at].cells[i]);
  }

 private:
  static constexpr bool kGenerations = requires(Cell& cell) { cell.generation; };
  struct Piece {
    std::unique_ptr<Cell[]> cells;
    std::uint32_t used = 0;  // a bit for each
    std::uint32_t first_generation = 0;
  };
  void note_room(std::size_t at) {
    const std::uint64_t bit = std::uint64_t{1} << at % 64;
    constexpr std::uint32_t kFull = kPiece == 32 ? UINT32_MAX : (1u << kPiece) - 1;
    if (pieces_[at].used == kFull)
      room_[at / 64] &= ~bit;
    else
      room_[at / 64] |= bit;
  }
  std::vector<Piece> pieces_;
  std::vector<std::uint64_t> room_;  // a bit for each piece: not all of it is used
};

}  // namespace kith
