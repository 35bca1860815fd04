#pragma once
// Ctrl-C: the handler only sets a flag; whoever waits looks at it and ends in order.

namespace vf::cli {

void CatchInterrupts();
bool Interrupted();

}  // namespace vf::cli
