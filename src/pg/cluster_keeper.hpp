#pragma once
// Runs one postmaster: starts or adopts it, starts it again when it dies, stops it. Inside src/pg
// only.
//
// The work is done on a thread of its own, which lives from Start to Stop: the kernel sends the
// child's death signal when the *thread* that started it ends.

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "pg/cluster_files.hpp"

namespace vf::pg {

class ClusterKeeper {
public:
    explicit ClusterKeeper(ClusterPlace place);
    ~ClusterKeeper();

    // Blocks until the postmaster is ready.
    Result<void> Start();
    void Stop();

    const std::string& url() const { return url_; }
    int major() const { return place_.major; }
    bool adopted() const { return adopted_; }
    int process_id() const { return process_id_; }

private:
    struct Running {
        pid_t pid = -1;
        int pidfd = -1;
        bool child = false;
    };

    void Keep(std::promise<Result<void>> started);
    Result<Running> Bring();
    // A postmaster that runs already; waits for one that is starting or stopping.
    Result<std::optional<Running>> Adopt(std::chrono::steady_clock::time_point deadline);
    // Until nobody works in the folder any more.
    bool WaitEmpty(std::chrono::steady_clock::time_point deadline);
    Result<Running> Launch(std::chrono::steady_clock::time_point deadline);
    std::vector<std::string> Arguments() const;
    int OpenLog() const;
    std::string LastLogLine() const;
    // True: told to stop. False: the postmaster ended, or `wait` passed.
    bool WaitEnd(int pidfd, std::chrono::milliseconds wait);
    void End(Running& running);
    static void Reap(Running& running);

    ClusterPlace place_;
    std::string url_;
    std::thread thread_;
    int stop_event_ = -1;
    std::atomic<bool> adopted_ = false;
    std::atomic<int> process_id_ = 0;
};

}  // namespace vf::pg
