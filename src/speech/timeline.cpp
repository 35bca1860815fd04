#include "speech/timeline.hpp"

namespace vf::speech {

std::string_view TimingSourceName(TimingSource source) {
    switch (source) {
        case TimingSource::kEngine: return "engine";
        case TimingSource::kAligned: return "aligned";
        case TimingSource::kEstimated: return "estimated";
    }
    return "estimated";
}

}  // namespace vf::speech
