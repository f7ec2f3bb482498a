#include "services/bridge/body.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "schema/base/base_encoding.hpp"
#include "schema/base/nearest.hpp"

namespace kith::bridge {

Result<Body> Body::parse(std::string_view text) {
  if (text.empty()) return Body({});
  boost::json::parse_options options;
  options.max_depth = kDepthMax;
  boost::json::error_code error;
  boost::json::value value =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return fail(Errc::malformed, "the body is not JSON", error.message());
  if (!value.is_object()) return fail(Errc::malformed, "the body is not a JSON object");
  return Body(std::move(value.get_object()));
}

void Body::blame(Error error) {
  if (!error_) error_ = std::move(error);
}

void Body::blame(std::string_view key, std::string_view expected) {
  blame(fail(Errc::usage, "the field '" + std::string(key) + "' cannot be used", {},
             "give it " + std::string(expected)));
}

const boost::json::value* Body::find(std::string_view key) {
  known_.push_back(key);
  return object_.if_contains(boost::json::string_view(key.data(), key.size()));
}

const boost::json::value* Body::need(std::string_view key) {
  const boost::json::value* value = find(key);
  if (value == nullptr) blame(fail(Errc::usage, "the field '" + std::string(key) + "' is missing"));
  return value;
}

bool Body::has(std::string_view key) { return find(key) != nullptr; }

std::string Body::text(std::string_view key, std::size_t size_max) {
  const boost::json::value* value = need(key);
  if (value == nullptr) return {};
  const boost::json::string* text = value->if_string();
  if (text == nullptr || text->empty() || text->size() > size_max) {
    blame(key, "a text of 1 to " + std::to_string(size_max) + " bytes");
    return {};
  }
  return {text->data(), text->size()};
}

std::string Body::text_or(std::string_view key, std::size_t size_max, std::string_view otherwise) {
  if (!has(key)) return std::string(otherwise);
  return text(key, size_max);
}

std::string Body::path(std::string_view key) {
  std::string path = text(key, kPathMax);
  if (path.empty()) return path;
  if (path.front() != '/' || path.find('\0') != std::string::npos) blame(key, "an absolute path");
  return path;
}

template <class T>
T Body::take(std::string_view key, Result<T> (*read)(std::string_view)) {
  const std::string given = text(key, kPathMax);
  if (given.empty()) return {};
  Result<T> parsed = read(given);
  if (parsed) return std::move(*parsed);
  blame(parsed.error());
  return {};
}

Multiaddr Body::multiaddr(std::string_view key) { return take<Multiaddr>(key, Multiaddr::parse); }
PeerId Body::peer_id(std::string_view key) { return take<PeerId>(key, PeerId::parse); }
Cid Body::cid(std::string_view key) { return take<Cid>(key, Cid::parse); }

Bytes Body::base64(std::string_view key) {
  const boost::json::value* value = need(key);
  if (value == nullptr) return {};
  const boost::json::string* text = value->if_string();
  if (text == nullptr) {
    blame(key, "base64");
    return {};
  }
  auto decoded = from_base64({text->data(), text->size()});
  if (!decoded) {
    blame(key, "base64");
    return {};
  }
  return Bytes::adopt(std::move(*decoded));
}

std::uint64_t Body::number_or(std::string_view key, std::uint64_t otherwise, std::uint64_t min,
                              std::uint64_t max) {
  const boost::json::value* value = find(key);
  if (value == nullptr) return otherwise;
  std::uint64_t number = 0;
  bool whole = true;
  if (const auto* natural = value->if_uint64()) {
    number = *natural;
  } else if (const auto* integer = value->if_int64(); integer != nullptr && *integer >= 0) {
    number = static_cast<std::uint64_t>(*integer);
  } else {
    whole = false;
  }
  if (whole && number >= min && number <= max) return number;
  blame(key, "a number from " + std::to_string(min) + " to " + std::to_string(max));
  return otherwise;
}

bool Body::flag_or(std::string_view key, bool otherwise) {
  const boost::json::value* value = find(key);
  if (value == nullptr) return otherwise;
  if (const bool* flag = value->if_bool()) return *flag;
  blame(key, "true or false");
  return otherwise;
}

Result<void> Body::finish() const {
  if (error_) return *error_;
  for (const auto& field : object_) {
    const std::string_view key(field.key().data(), field.key().size());
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    return fail(Errc::usage, "the field " + quote_text(key) + " is unknown", {},
                suggest_name(key, known_));
  }
  return {};
}

}  // namespace kith::bridge
