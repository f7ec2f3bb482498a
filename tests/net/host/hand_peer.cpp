#include "hand_peer.hpp"

#include <algorithm>

#include "net/wire/noise.hpp"
#include "schema/libp2p/noise_payload.hpp"

namespace kith::host {
namespace {

const std::string kNoise = "/noise";
const std::vector<std::string> kYamux = {"/yamux/1.0.0"};
const std::vector<std::string> kIdentify = {"/ipfs/id/1.0.0"};

Bytes line(std::string_view text) {
  std::string made(1, static_cast<char>(text.size() + 1));
  made += text;
  made += '\n';
  return Bytes::adopt(std::move(made));
}

}  // namespace

HandPeer::HandPeer(Harness& harness, std::uint64_t seed, HandOptions options)
    : options_(std::move(options)),
      place_(harness.add_node()),
      loop_(harness.loop(place_)),
      transport_(harness.transport(place_)),
      listen_addr_(harness.listen_addr(place_)),
      rng_(seed + 1'000'000),
      identity_(crypto::Identity::make(rng_)),
      static_(crypto::X25519Key::make(rng_)),
      maker_(identity_, "by-hand", 0),
      served_(options_.protocols) {
  served_.push_back(kIdentify.front());
  transport_.set_sink(*this);
}

void HandPeer::dial(const Multiaddr& to) { pipe_ = transport_.dial(to); }

Multiaddr HandPeer::listen() {
  EXPECT_TRUE(transport_.listen(listen_addr_));
  return transport_.listen_addrs().front();
}

void HandPeer::on_accept(Now, PipeSlot pipe, const Multiaddr&, const Multiaddr&) {
  pipe_ = pipe;
  start(false);
}
void HandPeer::on_dialed(Now, PipeSlot, const Multiaddr&, const Multiaddr&) { start(true); }

void HandPeer::start(bool dialler) {
  connected = true;
  dialler_ = dialler;
  if (!options_.shakes_hands) return;
  lines_due_ = 2;
  noise_.emplace(dialler ? wire::NoiseRole::initiator : wire::NoiseRole::responder, ByteView{},
                 static_, crypto::X25519Key::make(rng_));
  send_raw(line(wire::kMultistreamHeader));
  send_raw(line(kNoise));
  if (dialler) write_noise({});
}

void HandPeer::send_raw(Bytes data) { transport_.write(pipe_, std::move(data)); }

void HandPeer::write_noise(ByteView body) {
  const Bytes message = noise_->write(body).value();
  send_raw(Bytes::make(2 + message.size(), [&](std::span<std::uint8_t> to) {
    to[0] = static_cast<std::uint8_t>(message.size() >> 8);
    to[1] = static_cast<std::uint8_t>(message.size());
    std::copy(message.begin(), message.end(), to.begin() + 2);
  }));
}

Bytes HandPeer::payload() const {
  std::vector<std::uint8_t> text(wire::kNoiseSignaturePrefix.begin(),
                                 wire::kNoiseSignaturePrefix.end());
  const auto& key = static_.public_key();
  text.insert(text.end(), key.begin(), key.end());
  if (options_.signs_for_another) text.back() ^= 1;
  const auto signature = identity_.sign(text);
  libp2p::NoisePayload made;
  made.identity_key = identity_.public_key().encoded();
  made.identity_sig = Bytes::copy(signature);
  if (options_.offers_muxer) made.stream_muxers = {Bytes::copy(kYamux.front())};
  return libp2p::encode_noise_payload(made);
}

void HandPeer::on_data(Now, PipeSlot, Bytes data) {
  raw_bytes += data.size();
  if (!options_.shakes_hands) return;
  if (cipher_) {
    const auto opened_bytes = cipher_->open(data);
    if (opened_bytes && !opened_bytes->empty()) on_plain(*opened_bytes);
    if (mux_) flush();
    return;
  }
  held_.insert(held_.end(), data.begin(), data.end());
  on_line_or_noise();
}

bool HandPeer::take_noise_message(Bytes& message) {
  if (held_.size() < 2) return false;
  const std::size_t size = static_cast<std::size_t>(held_[0]) << 8 | held_[1];
  if (held_.size() < 2 + size) return false;
  message = Bytes::copy(ByteView(held_).subspan(2, size));
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(2 + size));
  return true;
}

void HandPeer::on_line_or_noise() {
  while (lines_due_ > 0 && !held_.empty() && held_.size() > held_[0]) {
    held_.erase(held_.begin(), held_.begin() + 1 + held_[0]);
    --lines_due_;
  }
  if (lines_due_ > 0) return;
  for (Bytes message; !noise_->finished() && take_noise_message(message);) {
    if (!noise_->read(message)) return abort();
    if (noise_->may_write()) write_noise(payload());
  }
  if (noise_->finished()) on_secured();
}

void HandPeer::on_secured() {
  secured = true;
  cipher_.emplace(noise_->split());
  const Bytes rest = Bytes::copy(held_);
  if (!options_.offers_muxer) {
    if (dialler_) {
      mux_select_.emplace(wire::MultistreamDialer(kYamux));
      send_plain(std::get<wire::MultistreamDialer>(*mux_select_).start());
    } else {
      mux_select_.emplace(wire::MultistreamListener());
    }
  }
  if (options_.speaks_yamux) {
    wire::YamuxConfig config;
    config.dialler = dialler_;
    config.ping_every = Duration::max();
    mux_ = std::make_unique<wire::Yamux>(config, loop_.now());
    if (options_.asks_identify) {
      asked_ = mux_->open(loop_.now()).value();
      mux_->write(loop_.now(), asked_, wire::MultistreamDialer(kIdentify).start());
    }
  }
  if (!rest.empty()) {
    const auto opened_bytes = cipher_->open(rest);
    if (opened_bytes && !opened_bytes->empty()) on_plain(*opened_bytes);
  }
  if (mux_) flush();
}

void HandPeer::send_plain(Bytes data) { send_raw(cipher_->seal(ByteView(data)).value()); }

void HandPeer::send_frame(wire::YamuxHead head, ByteView body) {
  send_plain(Bytes::make(wire::kYamuxHeadBytes + body.size(), [&](std::span<std::uint8_t> to) {
    wire::write_yamux_head(head, to.first<wire::kYamuxHeadBytes>());
    std::copy(body.begin(), body.end(), to.begin() + wire::kYamuxHeadBytes);
  }));
}

void HandPeer::on_plain(const Bytes& data) {
  plain.insert(plain.end(), data.begin(), data.end());
  Bytes rest = data;
  if (mux_select_) {
    auto step = std::holds_alternative<wire::MultistreamDialer>(*mux_select_)
                    ? std::get<wire::MultistreamDialer>(*mux_select_).on_bytes(data)
                    : std::get<wire::MultistreamListener>(*mux_select_).on_bytes(data, kYamux);
    ASSERT_TRUE(step) << describe(step.error());
    if (!step->write.empty()) send_plain(step->write);
    if (!step->agreed) return;
    mux_select_.reset();
    rest = step->rest;
  }
  if (!mux_ || rest.empty()) return;
  wire::YamuxEffects effects;
  mux_->on_bytes(loop_.now(), rest, effects);
  for (auto& effect : effects) on_effect(loop_.now(), effect);
}

void HandPeer::on_effect(Now now, wire::YamuxEffect& effect) {
  if (const auto* stream = std::get_if<wire::YamuxOpened>(&effect)) {
    opened.push_back(stream->stream);
    inbound_[stream->stream.index] = {};
  } else if (const auto* data = std::get_if<wire::YamuxData>(&effect)) {
    on_stream_data(now, data->stream, data->data);
  } else if (std::holds_alternative<wire::YamuxReset>(effect)) {
    ++resets;
  } else if (const auto* away = std::get_if<wire::YamuxWentAway>(&effect)) {
    went_away = away->code;
  } else if (const auto* ended = std::get_if<wire::YamuxEnded>(&effect)) {
    identified = identified || ended->stream == asked_;
    mux_->close(ended->stream);
  }
}

void HandPeer::on_stream_data(Now now, wire::YamuxSlot stream, const Bytes& data) {
  auto& log = streams[stream.index];
  log.insert(log.end(), data.begin(), data.end());
  mux_->release(stream, data.size());
  const auto found = inbound_.find(stream.index);
  if (found == inbound_.end() || found->second.agreed) return;
  const auto step = found->second.select.on_bytes(data, served_);
  ASSERT_TRUE(step) << describe(step.error());
  found->second.agreed = step->agreed;
  const bool identify = step->agreed && served_[step->chosen] == kIdentify.front();
  if (identify && !options_.answers_identify) return;
  if (!step->write.empty()) mux_->write(now, stream, step->write);
  if (!identify) return;
  mux_->write(now, stream,
              !identify_answer.empty()
                  ? identify_answer
                  : maker_.make(now, {transport_.listen_addrs(), options_.protocols}, {}));
  mux_->close(stream);
}

void HandPeer::flush() {
  std::vector<Bytes> slices;
  wire::YamuxEffects effects;
  while (mux_->has_output() && !mux_select_) {
    slices.clear();
    if (mux_->pull(loop_.now(), 2 * wire::kYamuxFrameMax, slices, effects) == 0) break;
    const std::vector<ByteView> parts(slices.begin(), slices.end());
    send_raw(cipher_->seal(parts).value());
  }
}

}  // namespace kith::host
