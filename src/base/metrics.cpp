#include "base/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace vf::metrics {

prometheus::Registry& Registry() {
    static prometheus::Registry registry(prometheus::Registry::InsertBehavior::Merge);
    return registry;
}

std::string Render() {
    return prometheus::TextSerializer().Serialize(Registry().Collect());
}

}  // namespace vf::metrics
