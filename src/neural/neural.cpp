#include "neural/neural.hpp"

#include <map>

#include "base/log.hpp"
#include "neural/store.hpp"

namespace vf::neural {

using KnownModels = std::map<std::string, std::string>;  // id → stamp

namespace {

struct Look {
    KnownModels present;
    std::vector<engines::ModelSpec> sound;  // new ones, verified
};

// On the thread pool. What is known already costs a stat() only.
Look LookAt(const ModelStore& store, const KnownModels& known) {
    Look look;
    look.present = store.Stamps();
    for (const auto& [id, stamp] : look.present) {
        const auto before = known.find(id);
        if (before != known.end() && before->second == stamp) continue;
        const std::optional<InstalledModel> model = store.Find(id);
        if (!model) continue;
        const Result<void> verified = ModelStore::Verify(*model, true);
        if (verified) {
            look.sound.push_back({id, model->folder.string()});
        } else {
            log::Error("model_refused", {{"model", id}, {"reason", verified.error().message()}});
        }
    }
    return look;
}

}  // namespace

struct Models::State {
    State(asio::io_context& l, asio::thread_pool& s, engines::Engines& e,
          const std::filesystem::path& data_dir, ModelOptions o)
        : loop(l), slow(s), engines(e), store(std::filesystem::absolute(data_dir)), options(o),
          timer(l.get_executor()) {}

    asio::io_context& loop;
    asio::thread_pool& slow;
    engines::Engines& engines;
    ModelStore store;
    ModelOptions options;
    SteadyTimer timer;
    KnownModels known;
    bool stopping = false;

    void Apply(const Look& look) {
        for (const auto& [id, stamp] : known) {
            const auto now = look.present.find(id);
            if (now == look.present.end() || now->second != stamp) engines.RemoveModel(id);
        }
        known = look.present;
        for (const engines::ModelSpec& model : look.sound) engines.AddModel(model);
    }

    static Task<void> LookOnce(std::shared_ptr<State> self) {
        auto look_at = [store = self->store, known = self->known] { return LookAt(store, known); };
        const Look look = co_await Offload(self->slow, std::move(look_at));
        if (!self->stopping) self->Apply(look);
    }

    static Task<void> KeepLooking(std::shared_ptr<State> self) {
        while (!self->stopping) {
            self->timer.expires_after(self->options.poll_interval);
            co_await self->timer.async_wait(kAwaitTuple);
            if (self->stopping) break;
            co_await LookOnce(self);
        }
    }
};

void DeclareSettings(SettingsSchema& schema, ModelOptions& options) {
    using namespace std::chrono_literals;
    schema.Bytes("models.max_bytes", options.max_bytes, 1ULL << 20, 1ULL << 40,
                 {"\"4GiB\"", "Largest model, unpacked, that \"models install\" takes."});
    schema.Duration("models.poll_interval", options.poll_interval, 100ms, 1h,
                    {"\"1s\"", "How often the server looks for installed and removed models."});
}

Models::Models(asio::io_context& loop, asio::thread_pool& slow, engines::Engines& engines,
               const std::filesystem::path& data_dir, ModelOptions options)
    : state_(std::make_shared<State>(loop, slow, engines, data_dir, options)) {}

Models::~Models() {
    Stop();
}

Task<void> Models::Start() {
    const std::shared_ptr<State> state = state_;
    co_await State::LookOnce(state);
    if (state->stopping) co_return;
    co_await state->engines.WaitModels();
    Spawn(state->loop.get_executor(), State::KeepLooking(state), "models");
}

void Models::Stop() {
    state_->stopping = true;
    state_->timer.cancel();
}

}  // namespace vf::neural
