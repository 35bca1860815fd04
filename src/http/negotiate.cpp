#include "http/negotiate.hpp"

#include <algorithm>

#include "http/headers.hpp"

namespace vf::http {
namespace {

// A weight in thousandths; malformed weights count as 1, since the client named the thing.
int Weight(std::string_view text) {
    if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1000;
    if (text[0] == '1') return 1000;
    int weight = 0;
    int scale = 100;
    for (std::size_t i = 2; i < text.size() && i < 5; ++i, scale /= 10) {
        if (text[i] < '0' || text[i] > '9') return 1000;
        weight += (text[i] - '0') * scale;
    }
    return weight;
}

struct Item {
    std::string_view name;
    int weight = 1000;
};

// Takes the next element off a list; false at its end.
bool NextItem(std::string_view& list, Item& item) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        std::string_view element = Trim(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (element.empty()) continue;
        item = {Trim(element.substr(0, element.find(';'))), 1000};
        while (element.find(';') != std::string_view::npos) {
            element.remove_prefix(element.find(';') + 1);
            const std::string_view parameter = Trim(element.substr(0, element.find(';')));
            if (parameter.size() >= 2 && (parameter[0] == 'q' || parameter[0] == 'Q') &&
                parameter[1] == '=') {
                item.weight = Weight(parameter.substr(2));
            }
        }
        return true;
    }
    return false;
}

// How precisely a range of an Accept list names a type: 0 not at all, 3 exactly.
int Precision(std::string_view range, std::string_view type) {
    if (range == "*/*" || range == "*") return 1;
    if (range.ends_with("/*")) {
        const std::size_t size = range.size() - 1;
        return type.size() > size && EqualsIgnoringCase(range.substr(0, size), type.substr(0, size))
                   ? 2
                   : 0;
    }
    return EqualsIgnoringCase(range, type) ? 3 : 0;
}

// What the list gives a type; 0: not allowed. The most precise range counts.
int WeightOf(std::string_view accept, std::string_view type) {
    int best = 0;
    int weight = 0;
    for (Item item; NextItem(accept, item);) {
        const int precision = Precision(item.name, type);
        if (precision > best) {
            best = precision;
            weight = item.weight;
        }
    }
    return weight;
}

}  // namespace

std::string MediaTypeWithoutParameters(std::string_view content_type) {
    return LowerCase(Trim(content_type.substr(0, content_type.find(';'))));
}

bool AcceptsOneOf(std::string_view accept, const std::vector<std::string>& types) {
    return ChooseType(accept, types).has_value();
}

std::optional<std::size_t> ChooseType(std::string_view accept,
                                      const std::vector<std::string>& types) {
    if (Trim(accept).empty()) return 0;
    std::optional<std::size_t> chosen;
    int most = 0;
    for (std::size_t i = 0; i < types.size(); ++i) {
        const int weight = WeightOf(accept, types[i]);
        if (weight > most) {
            most = weight;
            chosen = i;
        }
    }
    return chosen;
}

bool AcceptsGzip(std::string_view accept_encoding) {
    int gzip = -1;
    int any = -1;
    int identity = -1;
    for (Item item; NextItem(accept_encoding, item);) {
        if (EqualsIgnoringCase(item.name, "gzip") || EqualsIgnoringCase(item.name, "x-gzip")) {
            gzip = item.weight;
        } else if (item.name == "*") {
            any = item.weight;
        } else if (EqualsIgnoringCase(item.name, "identity")) {
            identity = item.weight;
        }
    }
    if (gzip < 0) gzip = any;
    return gzip > 0 && gzip >= identity;
}

bool IsCompressible(std::string_view content_type) {
    const std::string type = MediaTypeWithoutParameters(content_type);
    if (type == "text/event-stream") return false;
    return type.starts_with("text/") || type.ends_with("+json") || type.ends_with("+xml") ||
           type == "application/json" || type == "application/xml" ||
           type == "application/javascript" || type == "application/yaml";
}

}  // namespace vf::http
