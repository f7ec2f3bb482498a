#include "schema/base/base_encoding.hpp"

#include <algorithm>
#include <array>

namespace kith {
namespace {

constexpr std::uint8_t kNoDigit = 0xff;
constexpr std::string_view kBase16 = "0123456789abcdef";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase64I2p =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~";

using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digits_of(std::string_view alphabet) {
  Digits digits{};
  for (std::uint8_t& digit : digits) digit = kNoDigit;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return digits;
}

Error bad_digit(char letter) {
  return fail(Errc::malformed, "a character that this base does not have",
              quote_text(std::string_view(&letter, 1)));
}

// Bases of a power of two: `bits` of the input for each letter.
std::string encode_bits(ByteView bytes, std::string_view alphabet, unsigned bits) {
  std::string text;
  text.reserve((bytes.size() * 8 + bits - 1) / bits + 3);
  unsigned held = 0;
  unsigned buffer = 0;
  for (const std::uint8_t byte : bytes) {
    buffer = (buffer << 8 | byte) & 0xffff;
    for (held += 8; held >= bits;) {
      held -= bits;
      text += alphabet[buffer >> held & ((1u << bits) - 1)];
    }
  }
  if (held > 0) text += alphabet[buffer << (bits - held) & ((1u << bits) - 1)];
  return text;
}

Decoded decode_bits(std::string_view text, const Digits& digits, unsigned bits) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() * bits / 8);
  unsigned held = 0;
  unsigned buffer = 0;
  for (const char letter : text) {
    const std::uint8_t digit = digits[static_cast<std::uint8_t>(letter)];
    if (digit == kNoDigit) return bad_digit(letter);
    buffer = (buffer << bits | digit) & 0xffff;
    held += bits;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<std::uint8_t>(buffer >> held));
  }
  if (held >= bits) return fail(Errc::truncated, "the text ends within a byte");
  if ((buffer & ((1u << held) - 1)) != 0)
    return fail(Errc::malformed, "unused bits at the end are not zero");
  return bytes;
}

std::string padded(std::string text) {
  while (text.size() % 4 != 0) text += '=';
  return text;
}

Decoded decode_padded(std::string_view text, const Digits& digits) {
  if (text.size() % 4 != 0) return fail(Errc::truncated, "base64 without its padding");
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode_bits(text, digits, 6);
}

// The other bases are one long number. Its digits are kept `kPerLimb` at a time, as many as fit
// into 32 bits, so that a division does the work of five or six.
template <unsigned kBase, unsigned kPerLimb>
struct LongNumber {
  static constexpr std::uint64_t limb_base() {
    std::uint64_t base = 1;
    for (unsigned i = 0; i < kPerLimb; ++i) base *= kBase;
    return base;
  }
  static constexpr std::uint64_t kLimb = limb_base();
  static_assert(kLimb <= (1ull << 32));

  static std::string encode(ByteView bytes, std::string_view alphabet) {
    const auto first = std::find_if(bytes.begin(), bytes.end(), [](auto byte) { return byte; });
    std::string text(static_cast<std::size_t>(first - bytes.begin()), alphabet[0]);
    std::vector<std::uint32_t> limbs;  // least significant first
    for (auto at = first; at != bytes.end(); ++at) {
      std::uint64_t carry = *at;
      for (std::uint32_t& limb : limbs) {
        carry += static_cast<std::uint64_t>(limb) << 8;
        limb = static_cast<std::uint32_t>(carry % kLimb);
        carry /= kLimb;
      }
      if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    }
    std::string backwards;
    for (std::uint32_t limb : limbs)
      for (unsigned i = 0; i < kPerLimb; ++i, limb /= kBase) backwards += alphabet[limb % kBase];
    while (!backwards.empty() && backwards.back() == alphabet[0]) backwards.pop_back();
    return text.append(backwards.rbegin(), backwards.rend());
  }

  static Decoded decode(std::string_view text, const Digits& digits, char zero) {
    if (text.size() > kDivisionTextMax)
      return fail(Errc::oversized, "longer than " + std::to_string(kDivisionTextMax) + " letters");
    const std::size_t zeros = std::min(text.find_first_not_of(zero), text.size());
    std::vector<std::uint32_t> limbs;
    for (const char letter : text.substr(zeros)) {
      const std::uint8_t digit = digits[static_cast<std::uint8_t>(letter)];
      if (digit == kNoDigit) return bad_digit(letter);
      std::uint64_t carry = digit;
      for (std::uint32_t& limb : limbs) {
        carry += static_cast<std::uint64_t>(limb) * kBase;
        limb = static_cast<std::uint32_t>(carry);
        carry >>= 32;
      }
      if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    }
    std::vector<std::uint8_t> backwards;
    for (const std::uint32_t limb : limbs)
      for (unsigned i = 0; i < 4; ++i)
        backwards.push_back(static_cast<std::uint8_t>(limb >> (8 * i)));
    while (!backwards.empty() && backwards.back() == 0) backwards.pop_back();
    backwards.resize(backwards.size() + zeros, 0);
    std::reverse(backwards.begin(), backwards.end());
    return backwards;
  }
};

using Number36 = LongNumber<36, 6>;
using Number58 = LongNumber<58, 5>;

// What is lower case already becomes no digit at all, so that it does not pass for upper case.
std::string upper_to_lower(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z')
      letter = static_cast<char>(letter - 'A' + 'a');
    else if (letter >= 'a' && letter <= 'z')
      letter = '\0';
  }
  return lower;
}

constexpr Digits kDigits32 = digits_of(kBase32);
constexpr Digits kDigits36 = digits_of(kBase36);
constexpr Digits kDigits58 = digits_of(kBase58);
constexpr Digits kDigits64 = digits_of(kBase64);
constexpr Digits kDigits64Url = digits_of(kBase64Url);
constexpr Digits kDigits64I2p = digits_of(kBase64I2p);

constexpr Digits digits16() {
  Digits digits = digits_of(kBase16);
  for (std::uint8_t i = 0; i < 6; ++i) digits['A' + i] = static_cast<std::uint8_t>(10 + i);
  return digits;
}
constexpr Digits kDigits16 = digits16();

}  // namespace

std::string to_base16(ByteView bytes) { return encode_bits(bytes, kBase16, 4); }
std::string to_base32(ByteView bytes) { return encode_bits(bytes, kBase32, 5); }
std::string to_base36(ByteView bytes) { return Number36::encode(bytes, kBase36); }
std::string to_base58(ByteView bytes) { return Number58::encode(bytes, kBase58); }
std::string to_base64(ByteView bytes) { return padded(encode_bits(bytes, kBase64, 6)); }
std::string to_base64url(ByteView bytes) { return encode_bits(bytes, kBase64Url, 6); }
std::string to_base64_i2p(ByteView bytes) { return padded(encode_bits(bytes, kBase64I2p, 6)); }

Decoded from_base16(std::string_view text) { return decode_bits(text, kDigits16, 4); }
Decoded from_base32(std::string_view text) { return decode_bits(text, kDigits32, 5); }
Decoded from_base36(std::string_view text) { return Number36::decode(text, kDigits36, '0'); }
Decoded from_base58(std::string_view text) { return Number58::decode(text, kDigits58, '1'); }
Decoded from_base64(std::string_view text) { return decode_padded(text, kDigits64); }
Decoded from_base64url(std::string_view text) { return decode_bits(text, kDigits64Url, 6); }
Decoded from_base64_i2p(std::string_view text) { return decode_padded(text, kDigits64I2p); }

std::string quote_text(std::string_view text) {
  std::string shown = "\"" + std::string(text.substr(0, kQuotedMax));
  for (char& letter : shown)
    if (letter < 0x20 || letter > 0x7e) letter = '?';
  return shown + (text.size() > kQuotedMax ? "...\"" : "\"");
}

Decoded from_multibase(std::string_view text) {
  if (text.empty()) return fail(Errc::truncated, "an empty text has no multibase prefix");
  const std::string_view rest = text.substr(1);
  switch (text.front()) {
    case 'f':
    case 'F':
      return from_base16(rest);
    case 'b':
      return from_base32(rest);
    case 'B':
      return from_base32(upper_to_lower(rest));
    case 'k':
      return from_base36(rest);
    case 'K':
      return from_base36(upper_to_lower(rest));
    case 'z':
      return from_base58(rest);
    case 'm':
      return decode_bits(rest, kDigits64, 6);
    case 'M':
      return from_base64(rest);
    case 'u':
      return from_base64url(rest);
    case 'U':
      return decode_padded(rest, kDigits64Url);
    default:
      return fail(Errc::unsupported, "a multibase prefix that we do not read",
                  bad_digit(text.front()).why);
  }
}

}  // namespace kith
