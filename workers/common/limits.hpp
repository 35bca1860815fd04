#pragma once
// The cage of a worker process: what it may use, and the system calls it may make.

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "common/worker.hpp"

namespace vf::worker {

// Given by the server on the command line; 0 means: no such limit.
struct Limits {
    pid_t parent = 0;          // die when this process dies
    std::uint64_t memory = 0;  // bytes of address space
    std::uint64_t cpu = 0;     // seconds of processor time per request
    uid_t uid = 0;             // who to become when started by root
    gid_t gid = 0;
    // For engines that load a model: the folder it lies in, which becomes the current one while
    // there still are privileges (the folders above it may be closed to the worker's user), the
    // folder of the library that can read it, and how many threads may compute.
    std::string_view model;
    std::string_view library;
    int threads = 1;
};

// Reads "--parent=1" and the like; false when anything else is there.
bool ReadArguments(int argc, char** argv, Limits& limits);

// Privileges, limits on memory, files and core dumps, death with the parent; the current directory
// is the model's folder or a neutral one.
// Ends the process when one of them cannot be set.
void Confine(const Limits& limits);

// Gives the next request its processor time: the soft limit is moved to what was used plus `cpu`.
void AllowCpu(std::uint64_t seconds);

// From here on only system calls for computing, memory, the open descriptors and, when `needs`
// says so, opening files for reading. Everything else fails with EPERM: sockets, exec, fork,
// writing files, signals to others.
void LockDown(const Needs& needs);

}  // namespace vf::worker
