// HandPeer: the other side of a connection, worked by hand, so that a test can lie at any layer:
// raw bytes on the pipe, plaintext inside Noise, frames inside Yamux, lines and messages inside a
// stream. By default it behaves: it shakes hands, accepts Yamux and answers identify.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "harness.hpp"
#include "net/crypto/identity.hpp"
#include "net/wire/identify.hpp"
#include "net/wire/multistream.hpp"
#include "net/wire/noise_transport.hpp"
#include "net/wire/yamux.hpp"

namespace kith::host {

struct HandOptions {
  bool offers_muxer = true;  // in the Noise payload
  bool shakes_hands = true;  // else it only receives
  bool speaks_yamux = true;  // else decrypted bytes are only collected in `plain`
  bool answers_identify = true;
  bool asks_identify = false;
  bool signs_for_another = false;  // its payload is signed by a key that is not its Noise key's
  std::vector<std::string> protocols = {"/test/message/2", "/test/raw/1"};
};

class HandPeer final : public TransportSink {
 public:
  HandPeer(Harness& harness, std::uint64_t seed, HandOptions options = {});

  void dial(const Multiaddr& to);
  Multiaddr listen();
  const PeerId& id() const { return identity_.id(); }

  void send_raw(Bytes data);    // on the pipe
  void send_plain(Bytes data);  // sealed
  void send_frame(wire::YamuxHead head, ByteView payload = {});
  wire::Yamux& mux() { return *mux_; }
  void flush();
  void pause_reading() { transport_.read_paused(pipe_, true); }
  void end() { transport_.close(pipe_); }
  void abort() { transport_.abort(pipe_); }

  bool connected = false;
  bool secured = false;
  bool closed = false;
  bool identified = false;  // asked, and got something
  std::size_t raw_bytes = 0;
  std::vector<std::uint8_t> plain;
  std::map<std::uint32_t, std::vector<std::uint8_t>> streams;  // by YamuxSlot index: all data
  std::vector<wire::YamuxSlot> opened;                         // by the host
  std::size_t resets = 0;
  std::optional<std::uint32_t> went_away;
  Bytes identify_answer;  // instead of the true one

 private:
  struct Inbound {
    wire::MultistreamListener select;
    bool agreed = false;
  };
  void on_accept(Now, PipeSlot, const Multiaddr&, const Multiaddr&) override;
  void on_dialed(Now, PipeSlot, const Multiaddr&, const Multiaddr&) override;
  void on_dial_failed(Now, PipeSlot, Error) override { closed = true; }
  void on_data(Now, PipeSlot, Bytes) override;
  void on_writable(Now, PipeSlot) override {}
  void on_end(Now, PipeSlot) override { transport_.close(pipe_); }
  void on_closed(Now, PipeSlot, Error) override { closed = true; }

  void start(bool dialler);
  void on_line_or_noise();
  bool take_noise_message(Bytes& message);
  void write_noise(ByteView payload);
  Bytes payload() const;
  void on_secured();
  void on_plain(const Bytes& data);
  void on_effect(Now now, wire::YamuxEffect& effect);
  void on_stream_data(Now now, wire::YamuxSlot stream, const Bytes& data);

  HandOptions options_;
  std::size_t place_;
  Loop& loop_;
  Transport& transport_;
  Multiaddr listen_addr_;
  mutable Rng rng_;
  crypto::Identity identity_;
  crypto::X25519Key static_;
  wire::IdentifyMaker maker_;
  PipeSlot pipe_;
  bool dialler_ = true;
  std::vector<std::uint8_t> held_;  // of the handshake
  int lines_due_ = 0;
  std::optional<wire::NoiseXx> noise_;
  std::optional<wire::NoiseTransport> cipher_;
  std::optional<std::variant<wire::MultistreamDialer, wire::MultistreamListener>> mux_select_;
  std::unique_ptr<wire::Yamux> mux_;
  std::map<std::uint32_t, Inbound> inbound_;
  std::vector<std::string> served_;
  wire::YamuxSlot asked_;
};

}  // namespace kith::host
