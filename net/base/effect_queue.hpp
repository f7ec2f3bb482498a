// EffectQueue: what a core asked for, carried out after the core has returned and never inside a
// call of it, in the order in which it was asked.
//
// How an attachment uses it
// * The core adds to out(). An event from the loop, the host or the store ends with carry_out().
// * What comes from above or from inside another's callback (a request, on_judge) ends with
//   carry_out_later(): else an answer would come before the call that asked has returned.
// * `perform` may feed the core again; what that adds is carried out behind the rest.
// * `rest` comes after each of the two: the place to arm the core's next deadline.
// * alive() is for callbacks that may come after the queue's owner is gone: it says false then.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "net/base/loop.hpp"

namespace kith {

template <class Effect>
class EffectQueue {
 public:
  EffectQueue(Loop& loop, std::function<void(Effect&)> perform, std::function<void()> rest)
      : loop_(loop), perform_(std::move(perform)), rest_(std::move(rest)) {}
  ~EffectQueue() { *alive_ = false; }
  EffectQueue(const EffectQueue&) = delete;
  EffectQueue& operator=(const EffectQueue&) = delete;

  std::vector<Effect>& out() { return out_; }
  std::shared_ptr<const bool> alive() const { return alive_; }

  void carry_out() {
    if (carrying_out_) return;
    carrying_out_ = true;
    while (!out_.empty()) {
      std::vector<Effect> some = std::exchange(out_, {});
      for (Effect& effect : some) perform_(effect);
    }
    carrying_out_ = false;
    rest_();
  }

  void carry_out_later() {
    if (carrying_out_) return;
    rest_();
    if (out_.empty() || posted_) return;
    posted_ = true;
    loop_.post([this, alive = alive()] {
      if (!*alive) return;
      posted_ = false;
      carry_out();
    });
  }

 private:
  Loop& loop_;
  std::function<void(Effect&)> perform_;
  std::function<void()> rest_;
  std::vector<Effect> out_;
  bool posted_ = false;
  bool carrying_out_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kith
